"""Corrected biases take back what rounding the weights adds on average."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.frontend.read import read_as_written
from tinyml_nas.quantization.bias_correction import corrected
from tinyml_nas.quantization.calibration import with_extremes
from tinyml_nas.quantization.exact import WEIGHT_AXES, ExactNetwork
from tinyml_nas.quantization.prepared import real_constant
from tinyml_nas.quantization.ranges import calibrated


@pytest.mark.parametrize("family", ["mbv3", "lite0"])
def test_a_layer_with_rounded_weights_has_the_mean_of_the_float_layer(prepared, normalised, family):
    before = prepared[family]
    images = with_extremes(normalised("train", 8, 28))
    flatbuffer = before.quantized(calibrated(before.graph, images, clip_hard_swish=False))
    after = corrected(before, flatbuffer, images)
    quantized = read_as_written(flatbuffer)
    network = ExactNetwork(before.graph)
    seen = [network.run(image) for image in images]
    checked = 0
    for number, (op, other) in enumerate(zip(before.graph.ops, quantized.ops, strict=True)):
        if op.kind not in WEIGHT_AXES:
            continue

        def outputs(weights, bias, op=op, number=number):
            sums = [network.linear(number, values[op.inputs[0]], weights) for values in seen]
            return (np.stack(sums).reshape(-1, len(bias)) + bias).mean(axis=0)

        weights, bias = (before.constant(index) for index in op.inputs[1:])
        rounded = real_constant(quantized, other.inputs[1])
        exact = outputs(weights, bias)
        left = np.abs(outputs(rounded, after.constant(op.inputs[2])) - exact)
        added = np.abs(outputs(rounded, bias) - exact)
        assert left.max() < 1e-5 * max(1.0, np.abs(exact).max())
        assert added.max() > 10 * left.max()
        np.testing.assert_array_equal(after.constant(op.inputs[1]), weights)
        checked += 1
    assert checked > 10
