"""Padding, and the specification's text."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_nas.network.lite0 import lite0_spec
from tinyml_nas.network.spec import NetworkSpec, out_side, zeros_around

sides, kernels, strides = st.integers(1, 60), st.sampled_from([1, 3, 5, 7]), st.integers(1, 2)


@given(sides, kernels, strides, st.sampled_from(["symmetric", "same"]))
def test_either_padding_gives_the_same_side(side, kernel, stride, padding):
    before, after = zeros_around(side, kernel, stride, padding)
    assert (side + before + after - kernel) // stride + 1 == out_side(side, stride)


@given(sides, kernels, strides)
def test_same_differs_from_symmetric_at_stride_2_on_even_sides_alone(side, kernel, stride):
    symmetric = zeros_around(side, kernel, stride, "symmetric")
    same = zeros_around(side, kernel, stride, "same")
    shifted = stride == 2 and side % 2 == 0 and kernel > 1
    assert (same != symmetric) == shifted
    if shifted:
        assert same == (symmetric[0] - 1, symmetric[1])


def test_what_has_its_default_is_not_written(small_spec):
    old = json.loads(small_spec.to_json())
    assert not {"activation", "padding", "mix", "norm_epsilon"} & old.keys()
    lite0 = lite0_spec(64, 10)
    assert json.loads(lite0.to_json())["padding"] == "same"
    for spec in (small_spec, lite0):
        assert NetworkSpec.from_json(spec.to_json()) == spec


def test_features_that_are_not_the_pooled_map_are_refused():
    with pytest.raises(ValueError, match=r"1280 channels of the pooled map .* got features 640"):
        replace(lite0_spec(64, 10), features=640)
