"""A Cortex-M0+ convolves in at most 8 instructions a multiply-add."""

from __future__ import annotations

import numpy as np

from benchmarks.emulated import measure
from codegen.ir import Graph
from tests.support.needs import needs_board_tools
from tools.graphs.builder import Builder

SIDE, CHANNELS = 8, 16
MOST_FOR_A_MULTIPLY_ADD = 8.0


def convolution() -> Graph:
    """3x3 on 16 channels, as ResNet-8 begins."""
    b = Builder(np.random.default_rng(3), "int8")
    image = b.activation((1, SIDE, SIDE, CHANNELS))
    codes = b.rng.integers(-127, 128, (CHANNELS, 3, 3, CHANNELS)).astype(np.int8)
    weights = b.constant(codes, (0.01,) * CHANNELS, 0)
    bias = b.constant(b.rng.integers(-99, 99, CHANNELS).astype(np.int32), (0.0005,) * CHANNELS)
    maps = b.activation((1, SIDE, SIDE, CHANNELS), 0.4)
    options = {"padding": "SAME", "fused_activation": "NONE"}
    options |= {f"{kind}_{side}": 1 for kind in ("stride", "dilation") for side in "hw"}
    b.operator("CONV_2D", (image, weights, bias), maps, **options)
    return b.graph(image, maps)


@needs_board_tools
def test_a_convolution(tmp_path):
    image = np.random.default_rng(4).integers(-128, 128, (SIDE, SIDE, CHANNELS)).astype(np.int8)
    found = measure(convolution(), "cortex-m0plus", image, tmp_path)
    assert found.macs == SIDE * SIDE * CHANNELS * 9 * CHANNELS
    assert found.instructions <= MOST_FOR_A_MULTIPLY_ADD * found.macs
