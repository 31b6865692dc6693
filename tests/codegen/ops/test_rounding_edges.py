"""Products that land on a rounding edge: there a multiplier that is off by its last bit shows.

Random inputs almost never hit one. Of layers with a bias each output channel's bias is solved for: the
two integers next to the sum whose product with the scale lies half way between two codes. Operators
of two codes, or of a mean, get every pair, or every sum, that there is: the edges are among them.
"""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from codegen.arithmetic.fixed_point import all_codes
from codegen.frontend.read import read
from codegen.ir import Graph
from codegen.ops import OPERATORS
from codegen.ops.unary import Unary
from tests.support.extractors import compile_extractors, oracle
from tests.support.models import to_flatbuffer
from tools.graphs.builder import Builder

CODES = 255
MODELS = 24
LAYERS = [
    (kind, per_channel, 1)
    for kind in ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")
    for per_channel in (False, True)
]
LAYERS += [(kind, True, 2) for kind in ("CONV_2D", "DEPTHWISE_CONV_2D")]  # other kernels
LAYERS += [("TRANSPOSE_CONV", True, 1)]


def edges(rng: np.random.Generator, kind: str, *, per_channel: bool, dilation: int = 1) -> Graph:
    """One layer whose outputs, for an input of zero points, lie on either side of every edge."""
    b = Builder(rng)
    channels = 2 * CODES
    depth = channels if kind == "DEPTHWISE_CONV_2D" else 2
    input_scale, weight_scale, output_scale = rng.uniform(
        (1e-3, 1e-5, 1e-2), (1e-2, 1e-4, 1e-1)
    ).astype(np.float32)
    shape = {
        "FULLY_CONNECTED": (channels, depth),
        "CONV_2D": (channels, 1, 1, depth),
        "TRANSPOSE_CONV": (channels, 1, 1, depth),
        "DEPTHWISE_CONV_2D": (1, 1, 1, channels),
    }[kind]
    scales = (float(weight_scale),) * (channels if per_channel else 1)
    lead = (1,) if kind == "FULLY_CONNECTED" else (1, 1, 1)
    source = b.activation((*lead, depth), float(input_scale))
    output = b.activation((*lead, channels), float(output_scale))
    factor = float(input_scale) * float(weight_scale) / float(output_scale)
    zero_point = b.tensors[output].quantization.zero_points[0]
    halves = (np.arange(-128, 127) + 0.5 - zero_point) / factor
    bias = np.concatenate([np.floor(halves), np.ceil(halves)]).astype(np.int32)
    weights = rng.integers(-3, 4, shape).astype(np.int8)  # sums move a little from the edge
    inputs = (
        source,
        b.constant(weights, scales, 3 if kind == "DEPTHWISE_CONV_2D" else 0),
        b.constant(bias, tuple(float(input_scale) * scale for scale in scales)),
    )
    options = {"fused_activation": "NONE"}
    if kind != "FULLY_CONNECTED":
        options |= {"padding": "VALID", "stride_h": 1, "stride_w": 1}
    if kind == "TRANSPOSE_CONV":
        shape_of_output = b.constant(np.array((1, 1, 1, channels), np.int32))
        inputs = (shape_of_output, inputs[1], inputs[0], inputs[2])
    elif kind != "FULLY_CONNECTED":
        options |= {"dilation_h": dilation, "dilation_w": dilation}
    if kind == "DEPTHWISE_CONV_2D":
        options |= {"depth_multiplier": 1}
    b.operator(kind, inputs, output, **options)
    return b.graph(source, output)


@pytest.mark.parametrize(("kind", "per_channel", "dilation"), LAYERS)
def test_sums_at_the_edge_round_as_the_oracles_do(kind, per_channel, dilation, tmp_path):
    rng = np.random.default_rng(zlib.crc32(f"{kind} {per_channel}".encode()))
    models = [
        to_flatbuffer(edges(rng, kind, per_channel=per_channel, dilation=dilation))
        for _ in range(MODELS if dilation == 1 else MODELS // 4)
    ]

    def near_zero(graph: Graph) -> np.ndarray:
        zero_point = graph.input.quantization.zero_points[0]
        codes = rng.integers(-2, 3, (4, *graph.input.shape[1:])) + zero_point
        codes[0] = zero_point
        return codes.clip(-128, 127).astype(np.int8)

    compare(models, near_zero, tmp_path)


def pairs(rng: np.random.Generator, kind: str) -> Graph:
    """``kind`` of the input and a constant: for an input of rising codes, of all pairs of codes."""
    b = Builder(rng)
    side = 256
    scales = rng.uniform(0.005, 0.1, 3)
    if kind == "PRELU":
        scales[1] /= 8
    if kind == "MUL":
        scales[2] = scales[0] * scales[1] * rng.uniform(20, 200)
    source = b.activation((1, side, side, 1), scales[0])
    rising = np.broadcast_to(np.arange(-128, 128)[:, np.newaxis], (side, side)).astype(np.int8)
    zero = int(rng.integers(-128, 128))
    other = b.constant(rising.reshape(1, side, side, 1).copy(), (scales[1],), zero=zero)
    output = b.activation((1, side, side, 1), scales[2])
    options = {} if kind == "PRELU" else {"fused_activation": "NONE"}
    b.operator(kind, (source, other), output, **options)
    return b.graph(source, output)


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL", "PRELU"])
def test_all_pairs_of_codes_round_as_the_oracles_do(kind, tmp_path):
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    models = [
        to_flatbuffer(pairs(rng, kind)) for _ in range(MODELS // (4 if kind == "PRELU" else 1))
    ]
    columns = np.broadcast_to(np.arange(-128, 128), (1, 256, 256))[..., np.newaxis].astype(np.int8)
    compare(models, lambda graph: columns, tmp_path)


def mean(rng: np.random.Generator, kind: str) -> Graph:
    """``kind`` over an image of a few pixels, with a channel for every sum that they can have."""
    b = Builder(rng)
    height, width = (int(n) for n in rng.integers(1, 5, 2))
    channels = 255 * height * width + 1
    scale, zero = float(rng.uniform(0.01, 0.1)), int(rng.integers(-20, 20))
    source = b.activation((1, height, width, channels), scale, zero)
    if kind == "MEAN":
        axes = b.constant(np.array([1, 2], np.int32))
        output = b.activation((1, 1, 1, channels), scale * float(rng.uniform(0.5, 1.5)))
        b.operator(kind, (source, axes), output, keep_dims=True)
    else:
        output = b.activation((1, 1, 1, channels), scale, zero)
        window = {"filter_h": height, "filter_w": width, "stride_h": 1, "stride_w": 1}
        b.operator(kind, (source,), output, padding="VALID", fused_activation="NONE", **window)
    return b.graph(source, output)


def every_sum(graph: Graph) -> np.ndarray:
    """Images whose channel c sums to c - 128 pixels."""
    _, height, width, channels = graph.input.shape
    pixels = height * width
    sums, rest = np.divmod(np.arange(channels), pixels)
    codes = sums + (np.arange(pixels)[:, np.newaxis] < rest) - 128
    return codes.reshape(1, height, width, channels).astype(np.int8)


@pytest.mark.parametrize("kind", ["MEAN", "AVERAGE_POOL_2D"])
def test_every_sum_of_pixels_rounds_as_the_oracles_does(kind, tmp_path):
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    models = [to_flatbuffer(mean(rng, kind)) for _ in range(MODELS)]
    compare(models, every_sum, tmp_path)


def rescaling(rng: np.random.Generator, kind: str) -> Graph:
    """``kind`` of every code, with scales whose ratio puts some of the products on an edge."""
    b = Builder(rng)
    scale = float(np.float32(rng.uniform(0.005, 0.1)))
    if kind == "HARD_SWISH":  # its multipliers have 16 bits: a ratio half way between two
        finer = 1 << int(rng.integers(5, 8))
        ratio = (int(rng.integers(1 << 14, 1 << 15)) + 0.5) / (1 << 15) * finer / 128
    else:
        ratio = (int(rng.integers(1, 60)) + 0.5) / int(rng.integers(3, 120))
    source = b.activation((1, 1, 256, 1), scale, -128 if kind == "RELU" else None)
    output = b.activation((1, 1, 256, 1), scale / ratio, -128 if kind == "RELU" else None)
    options = {}
    if kind == "LEAKY_RELU":  # either slope may be what lands on an edge
        options = {"alpha": float(np.float32(rng.choice([0.5, 0.25, 0.3, 1.5, 3.0])))}
    if kind == "TANH":
        output = b.activation((1, 1, 256, 1), 1 / 128, 0)
    b.operator(kind, (source,), output, **options)
    return b.graph(source, output)


@pytest.mark.parametrize("kind", ["RELU", "QUANTIZE", "HARD_SWISH", "LEAKY_RELU", "TANH", "ELU"])
def test_rescaled_codes_round_as_the_oracles_do(kind):
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    codes = all_codes()
    for _ in range(400):
        graph = rescaling(rng, kind)
        expected = oracle(to_flatbuffer(graph), codes.reshape(1, 1, 256, 1).astype(np.int8))
        operator = OPERATORS[kind]
        assert isinstance(operator, Unary)
        found = operator.evaluate(graph, graph.ops[0], codes)
        np.testing.assert_array_equal(found, expected.reshape(-1))


def compare(models, inputs_of, folder) -> None:
    """The compiled models' outputs and the oracle's, byte for byte."""
    graphs = [read(model) for model in models]
    extractors = compile_extractors(graphs, folder)
    for graph, model, extract in zip(graphs, models, extractors, strict=True):
        inputs = inputs_of(graph)
        expected = oracle(model, inputs)
        assert len(np.unique(expected)) > 32
        np.testing.assert_array_equal(extract(inputs), expected)
