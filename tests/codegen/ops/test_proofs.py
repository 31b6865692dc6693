"""What the generator proves of an operator before it calls a fast kernel."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.ir import Graph
from codegen.ops import OPERATORS
from codegen.ops.base import Array, Call
from codegen.ops.convolution import padding_bytes
from tools.graphs.builder import Builder

DEPTH, CHANNELS = 5, 3
INPUT_SCALE, WEIGHT_SCALE, OUTPUT_SCALE = 0.05, 0.01, 0.25


def convolution(
    *,
    scales: tuple[float, ...] = (WEIGHT_SCALE,) * CHANNELS,
    bias: int = 0,
    output_scale: float = OUTPUT_SCALE,
    zero_point: int = 0,
    activation: str = "NONE",
) -> tuple[Graph, Call]:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 2, 2, DEPTH), INPUT_SCALE, 0)
    weights = b.constant(np.full((CHANNELS, 1, 1, DEPTH), 100, np.int8), scales)
    biases = b.constant(np.full(CHANNELS, bias, np.int32))
    output = b.activation((1, 2, 2, CHANNELS), output_scale, zero_point)
    options = {"padding": "VALID", "stride_h": 1, "stride_w": 1, "fused_activation": activation}
    b.operator("CONV_2D", (source, weights, biases), output, **options)
    graph = b.graph(source, output)
    call = OPERATORS["CONV_2D"].lower(graph, graph.ops[0])
    assert call is not None
    return graph, call


def array(call: Call, label: str) -> np.ndarray:
    (found,) = (made for made in call.arrays if made.label == label)
    return found.values


def test_an_ordinary_convolution_is_fast():
    assert convolution()[1].kernel == "conv_2d"


@pytest.mark.parametrize(
    "case",
    [
        {"output_scale": INPUT_SCALE * WEIGHT_SCALE},  # a factor of 1: no right shift
        {"bias": (1 << 30) - 128 * 100 * DEPTH},  # the sum may reach 2^30
        {"scales": (WEIGHT_SCALE, 0.0, WEIGHT_SCALE)},  # a multiplier of 0
        {"scales": (WEIGHT_SCALE, 1e-8, WEIGHT_SCALE), "bias": 1 << 23},  # a shift above 23
    ],
    ids=["factor", "sum", "multiplier", "shift"],
)
def test_what_is_not_proved_takes_the_kernel_for_all_cases(case):
    assert convolution(**case)[1].kernel == "conv_2d_any"


def test_channels_too_weak_to_move_the_output_do_not_spoil_the_proof():
    call = convolution(scales=(WEIGHT_SCALE, 1e-8, WEIGHT_SCALE))[1]
    assert call.kernel == "conv_2d"
    assert array(call, "shifts")[1] == 23
    assert array(call, "scales")[1].tolist() == [0, 1 << 30]


def test_a_narrow_clamp_becomes_a_table():
    call = convolution(zero_point=-20, activation="RELU")[1]
    codes = np.arange(-128, 128)
    np.testing.assert_array_equal(array(call, "table"), codes.clip(-20, 127))
    assert (call.fields["to"]["low"], call.fields["to"]["high"]) == (-128, 127)


def test_a_clamp_at_the_end_of_the_range_needs_none():
    call = convolution(zero_point=-128, activation="RELU")[1]
    assert call.fields["to"]["table"] is None


def test_the_last_channels_weights_can_be_read_by_words():
    graph, call = convolution()
    weights = call.fields["weights"]
    assert isinstance(weights, Array)
    assert weights.values.size == CHANNELS * DEPTH + 3
    assert padding_bytes(graph.tensors[graph.ops[0].inputs[1]]) == 3
    assert weights.values[-3:].tolist() == [0, 0, 0]
