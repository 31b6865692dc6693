"""Genes ↔ parts of EfficientNet-Lite0."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.lite0 import lite0_space
from tinyml_nas.network.cost import layers
from tinyml_nas.network.lite0 import lite0_spec
from tinyml_nas.supernet.lite0_space import Lite0Space

SPACE = lite0_space()
genotypes = st.tuples(*(st.integers(0, int(bound)) for bound in SPACE.upper)).map(np.array)


def parameters(genotype):
    return sum(layer.parameters for layer in layers(SPACE.spec(genotype, 10)))


def test_the_largest_network_is_all_of_lite0():
    assert SPACE.spec(SPACE.largest(), 10) == lite0_spec(96, 10)
    assert 3e6 < parameters(SPACE.largest()) < 3.5e6


def test_the_smallest_network_is_small():
    assert parameters(SPACE.smallest()) < 150_000
    assert SPACE.architecture(SPACE.smallest()).resolution == 32


@given(genotypes)
def test_canonical_genotypes_are_fixed_points_that_name_the_same_network(genotype):
    canonical = SPACE.canonical(genotype)
    assert np.array_equal(SPACE.canonical(canonical), canonical)
    assert SPACE.spec(canonical, 10) == SPACE.spec(genotype, 10)


@given(genotypes, genotypes)
def test_one_network_has_one_genotype(first, second):
    same_genes = np.array_equal(SPACE.canonical(first), SPACE.canonical(second))
    assert same_genes == (SPACE.spec(first, 10) == SPACE.spec(second, 10))


@given(genotypes)
def test_no_network_has_more_than_the_whole(genotype):
    spec, most = SPACE.spec(genotype, 10), lite0_spec(96, 10)
    assert len(spec.blocks) <= len(most.blocks)
    assert parameters(genotype) <= parameters(SPACE.largest())
    assert spec.features in (80, 112, 192, 320, 640, 1280)


def test_every_option_is_drawn():
    rng = np.random.default_rng(0)
    drawn = np.array([SPACE.sample(rng) for _ in range(400)])
    assert np.array_equal(drawn.max(axis=0), SPACE.upper)
    assert not drawn.min(axis=0).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolutions": (64, 32)}, r"supernet\.resolutions: .* from 8 to 224 in rising order"),
        ({"last_stages": (1, 7)}, r"supernet\.last_stages: .* from 2 to 7"),
        ({"last_stages": (8,)}, r"supernet\.last_stages"),
        ({"kernels": (3, 4)}, r"supernet\.kernels: must be odd; got \[3, 4\]"),
        ({"kernels": (3, 7)}, r"supernet\.kernels: .* from 3 to 5"),
        ({"expansions": (1, 6)}, r"supernet\.expansions: .* from 2 to 6"),
        ({"final_channels": ()}, r"supernet\.final_channels: .*; got \[\]"),
    ],
)
def test_a_bad_space_names_its_key(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SPACE, **changes)


def test_a_genotype_out_of_range_is_refused():
    with pytest.raises(ValueError, match="genes must lie in"):
        SPACE.canonical(SPACE.upper + 1)
    with pytest.raises(ValueError, match="needs 39 genes"):
        SPACE.canonical(np.zeros(3, dtype=np.int64))


def test_kernels_of_stages_that_have_3_on_imagenet_stay():
    only_five = Lite0Space((64,), (7,), (5,), (6,), (1280,))
    assert only_five.spec(only_five.largest(), 1000) == lite0_spec(64, 1000)
    assert not only_five.upper[np.r_[0:3]].any()
