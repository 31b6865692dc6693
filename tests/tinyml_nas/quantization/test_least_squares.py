"""Ranges by least squares: no other range of the grid rounds better, and quiet channels are heard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_nas.quantization.calibration import with_extremes
from tinyml_nas.quantization.exact import ExactNetwork, hard_swish
from tinyml_nas.quantization.least_squares import (
    SHARES,
    Histogram,
    importance,
    least_squares,
    rounded_to_codes,
)
from tinyml_nas.quantization.ranges import ranges_of


def histogram_of(values, channels=None):
    counted = Histogram.between(
        values.min(), values.max(), np.ones(values.shape[-1]) if channels is None else channels
    )
    counted.count(values)
    return counted


def error_of(values, low, high):
    return float(np.square(rounded_to_codes(values, low, high) - values).sum())


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 1.0, 3.0]))
def test_the_range_is_about_the_best_of_the_grid(seed, tail):
    rng = np.random.default_rng(seed)
    values = rng.standard_t(tail + 1, size=(1, 20, 20, 4))
    low, high = values.min(), values.max()
    found = histogram_of(values).best((low, high))
    least = min(error_of(values, low * a, high * b) for a in SHARES for b in SHARES)
    assert error_of(values, *found) <= 1.1 * least
    assert low <= found[0] <= 0 <= found[1] <= high


def test_a_rare_value_is_given_up():
    rng = np.random.default_rng(0)
    counted = histogram_of(np.array([[[[3.0]]]]))
    assert counted.best((0.0, 3.0)) == (0.0, 3.0)
    for _ in range(100):
        counted.count(rng.uniform(0, 1, (1, 100, 100, 1)))
    low, high = counted.best((0.0, 3.0))
    assert low == 0.0
    assert 1 <= high < 1.5


def test_channels_count_by_their_weight():
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 1, (1, 30, 30, 2)) * [10.0, 1.0]
    loud = histogram_of(values, np.array([1.0, 0.0])).best((0.0, 10.0))
    quiet = histogram_of(values, np.array([0.0, 1.0])).best((0.0, 10.0))
    assert loud[1] > 9
    assert quiet[1] == pytest.approx(10 * SHARES[-1])


def test_below_minus_3_a_hard_swish_loses_nothing():
    values = np.random.default_rng(0).normal(-3, 2, (1, 50, 50, 1))
    counted = histogram_of(values)
    low, high = counted.best((-3.0, values.max()), hard_swish)
    assert low >= -3.0
    behind = np.square(hard_swish(rounded_to_codes(values, low, high)) - hard_swish(values)).sum()
    plain = counted.best((values.min(), values.max()))
    other = np.square(hard_swish(rounded_to_codes(values, *plain)) - hard_swish(values)).sum()
    assert behind < other


def test_zeros_have_a_code_of_their_own():
    values = np.array([0.0, 0.1, -0.7])
    assert rounded_to_codes(values, -0.713, 1.391)[0] == 0
    assert len(np.unique(rounded_to_codes(np.linspace(-2, 2, 9999), -1.0, 1.0))) == 256


@pytest.mark.parametrize("family", ["mbv3", "lite0"])
def test_every_activation_has_a_range_within_its_extremes(prepared, normalised, family):
    graph = prepared[family].graph
    images = with_extremes(normalised("train", 6, 28))
    found = least_squares(graph, images)
    widest = ranges_of(ExactNetwork(graph), images)
    assert set(found) == set(widest)
    assert found[graph.inputs[0]] == widest[graph.inputs[0]]
    narrowed = 0
    for index, (low, high) in found.items():
        assert min(widest[index][0], 0) <= low <= high <= max(widest[index][1], 0)
        narrowed += (low, high) != widest[index]
    assert narrowed > 2
    assert least_squares(graph, images[::-1]) == found


def test_importance_is_by_the_weights_that_read_a_channel(prepared):
    graph = prepared["lite0"].graph
    expand, depthwise, project = (
        op for op in graph.ops if "blocks_1_" in graph.tensors[op.inputs[1]].name
    )
    last = np.square(graph.tensors[project.inputs[1]].data.astype(float)).sum(axis=(0, 1, 2))
    np.testing.assert_allclose(importance(graph, depthwise.outputs[0]), last)
    taps = np.square(graph.tensors[depthwise.inputs[1]].data.astype(float)).sum(axis=(0, 1, 2))
    np.testing.assert_allclose(importance(graph, expand.outputs[0]), last * taps)
    np.testing.assert_array_equal(importance(graph, graph.outputs[0]), 1)
