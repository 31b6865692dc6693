"""A bad layer is seen."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_nas.quantization.calibration import with_extremes
from tinyml_nas.quantization.layers import layer_names
from tinyml_nas.quantization.noise import LARGEST_DB, decibels, signal_to_noise
from tinyml_nas.quantization.ranges import calibrated


def test_a_layer_that_is_spoilt_is_the_worst(prepared, normalised):
    network = prepared["lite0"]
    images = with_extremes(normalised("train", 6, 28))
    ranges = calibrated(network.graph, images, clip_hard_swish=False)
    good = signal_to_noise(network.graph, network.quantized(ranges), images)
    names = layer_names(network.graph)
    number = names.index("blocks_2_expand_conv")
    (made,) = network.graph.ops[number].outputs
    ranges[made] = (0.0, ranges[made][1] * 40)  # six codes are left
    bad = signal_to_noise(network.graph, network.quantized(ranges), images)
    assert min(bad, key=bad.get) in names[number : number + 3]
    assert good["blocks_2_expand_conv"] - bad["blocks_2_expand_conv"] > 15
    for name in names[:number]:
        assert bad[name] == good[name]


def test_decibels_are_ten_a_power_of_ten():
    assert decibels(100.0, 1.0) == 20
    assert decibels(1.0, 10.0) == -10
    assert decibels(2.0, 1.0) == pytest.approx(3.01)


def test_no_noise_and_no_signal_are_numbers_too():
    assert decibels(1.0, 0.0) == decibels(0.0, 0.0) == LARGEST_DB
    assert decibels(0.0, 1.0) == -LARGEST_DB
    assert all(np.isfinite(decibels(10.0**a, 10.0**b)) for a in (-300, 300) for b in (-300, 300))
