"""Random models of one or two operators, over the shapes and options that the compiler takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from codegen.ir import Graph
from tools.graphs import layers, moving
from tools.graphs.builder import Builder

Case = Callable[[np.random.Generator, str], Graph]


def convolution(rng: np.random.Generator, dtype: str, depthwise: bool = False) -> Graph:
    """Any kernel, stride and padding; with and without bias and a standalone activation."""
    b = Builder(rng, dtype)
    height, width, depth = (int(n) for n in rng.integers(1, 9, 3))
    padding = str(rng.choice(["SAME", "VALID"]))
    limit = (min(height, 6), min(width, 6)) if padding == "VALID" else (6, 6)
    kernel = tuple(int(rng.integers(1, n + 1)) for n in limit)
    stride = tuple(int(n) for n in rng.integers(1, 4, 2))
    channels = depth * int(rng.integers(1, 4)) if depthwise else int(rng.integers(1, 20))
    if depthwise and rng.random() < 0.6:
        channels = depth = int(rng.integers(1, 40))
    shape = (1, *kernel, channels) if depthwise else (channels, *kernel, depth)
    axis = 3 if depthwise else 0
    per_channel = bool(rng.random() < 0.7)
    taps = kernel[0] * kernel[1] * (1 if depthwise else depth)
    scales = tuple(rng.uniform(0.001, 0.02, channels if per_channel else 1))
    source = b.activation((1, height, width, depth))
    inputs = [source, _weights(b, shape, scales, axis)]
    inputs += [_bias(b, channels, scales)] if rng.random() < 0.8 else []
    sizes = [
        -(-n // s) if padding == "SAME" else (n - k) // s + 1
        for n, k, s in zip((height, width), kernel, stride, strict=True)
    ]
    scale = _output_scale(rng, taps)
    output = b.activation((1, *sizes, channels), scale)
    options = {
        "padding": padding,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "fused_activation": str(rng.choice(["NONE", "RELU", "RELU6"])),
        "dilation_h": 1,
        "dilation_w": 1,
    }
    if depthwise:
        options["depth_multiplier"] = channels // depth
    kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    b.operator(kind, tuple(inputs), output, **options)
    if rng.random() < 0.4:
        after = b.activation(b.tensors[output].shape, scale * 0.7)
        output = b.operator("HARD_SWISH", (output,), after)
    return b.graph(source, output)


def depthwise_convolution(rng: np.random.Generator, dtype: str) -> Graph:
    """As ``convolution``, with any depth multiplier."""
    return convolution(rng, dtype, depthwise=True)


def zero_padded_kernel(rng: np.random.Generator, dtype: str) -> Graph:
    """An odd kernel with zero rows and columns around it, at stride 2 and SAME."""
    b = Builder(rng, dtype)
    side, depth, kernel = 2 * int(rng.integers(2, 6)), int(rng.integers(1, 20)), 3
    depthwise = bool(rng.random() < 0.5)
    channels = depth if depthwise else int(rng.integers(1, 9))
    before, after = (int(n) for n in rng.integers(0, 3, 2))
    shape = (1, kernel, kernel, channels) if depthwise else (channels, kernel, kernel, depth)
    weights = rng.integers(-127, 128, shape)
    grown = np.pad(weights, ((0, 0), (before, after), (after, before), (0, 0)))
    scales = tuple(rng.uniform(0.001, 0.02, channels))
    source = b.activation((1, side, side, depth))
    data = grown.astype(np.int8) if dtype == "int8" else (grown / 127).astype(np.float32)
    index = b.constant(data, scales if dtype == "int8" else (), 3 if depthwise else 0)
    output = b.activation(
        (1, side // 2, side // 2, channels), _output_scale(rng, weights.size // channels)
    )
    b.operator(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        (source, index, _bias(b, channels, scales)),
        output,
        padding="SAME",
        stride_h=2,
        stride_w=2,
        fused_activation="NONE",
        dilation_h=1,
        dilation_w=1,
        **({"depth_multiplier": 1} if depthwise else {}),
    )
    return b.graph(source, output)


def fully_connected(rng: np.random.Generator, dtype: str) -> Graph:
    """A vector or rows of pixels."""
    b = Builder(rng, dtype)
    depth, channels = (int(n) for n in rng.integers(1, 40, 2))
    lead = (1,) if rng.random() < 0.5 else (1, int(rng.integers(1, 5)))
    scales = tuple(rng.uniform(0.001, 0.02, channels if rng.random() < 0.5 else 1))
    source = b.activation((*lead, depth))
    inputs = (source, _weights(b, (channels, depth), scales, 0), _bias(b, channels, scales))
    output = b.activation((*lead, channels), _output_scale(rng, depth))
    activation = str(rng.choice(["NONE", "RELU", "RELU6"]))
    b.operator("FULLY_CONNECTED", inputs, output, fused_activation=activation)
    return b.graph(source, output)


def binary(rng: np.random.Generator, dtype: str) -> Graph:
    """ADD, SUB or MUL: of an activation and itself, a pooled one or a constant, either way round."""
    b = Builder(rng, dtype)
    shape = (1, *(int(n) for n in rng.integers(2, 7, 3)))
    kind = str(rng.choice(["ADD", "MUL", "SUB"]))
    source = b.activation(shape, rng.uniform(0.01, 0.1))
    other = source
    choice = int(rng.integers(6))
    if choice == 1:  # squeeze-and-excitation's pattern
        axes = b.constant(np.array([1, 2], np.int32))
        other = b.activation((1, 1, 1, shape[3]), rng.uniform(0.01, 0.1))
        b.operator("MEAN", (source, axes), other, keep_dims=True)
    elif choice > 1:
        sides = tuple(n if rng.random() < 0.5 else 1 for n in shape) if choice > 2 else ()
        data = rng.integers(-128, 128, sides)
        real = (data / 64).astype(np.float32)
        zero = int(rng.integers(-128, 128))
        other = (
            b.constant(np.asarray(data, np.int8), (rng.uniform(0.01, 0.1),), zero=zero)
            if dtype == "int8"
            else b.constant(np.asarray(real))
        )
    scale = rng.uniform(0.05, 1) if kind == "MUL" else rng.uniform(0.02, 0.2)
    output = b.activation(shape, scale)
    operands = (source, other) if rng.random() < 0.5 else (other, source)
    activation = str(rng.choice(["NONE", "RELU", "RELU6"]))
    b.operator(kind, operands, output, fused_activation=activation)
    return b.graph(source, output)


def hard_sigmoid(rng: np.random.Generator, dtype: str) -> Graph:
    """ADD a constant with a fused RELU6, then MUL by a constant: one table."""
    b = Builder(rng, dtype)
    shape = (1, 1, 1, int(rng.integers(1, 20)))
    source = b.activation(shape, rng.uniform(0.01, 0.1))
    three, sixth = (
        b.constant(np.asarray(127, np.int8), (real / 255,), zero=-128)
        if dtype == "int8"
        else b.constant(np.asarray(real, np.float32))
        for real in (3.0, 1 / 6)
    )
    gate = b.activation(shape, 6 / 255, -128)
    b.operator("ADD", (source, three), gate, fused_activation="RELU6")
    output = b.activation(shape, 1 / 256, -128)
    b.operator("MUL", (gate, sixth), output, fused_activation="NONE")
    return b.graph(source, output)


def mean(rng: np.random.Generator, dtype: str) -> Graph:
    """Over height and width, rows or time, in any order and sign, with and without kept axes."""
    b = Builder(rng, dtype)
    sides = (1, *(int(n) for n in rng.integers(1, 12, 3 if rng.random() < 0.7 else 2)))
    keep = bool(rng.random() < 0.5)
    choices = ([1, 2], [2, 1], [-3, -2], [1]) if len(sides) == 4 else ([1], [-2])
    axes = choices[int(rng.integers(len(choices)))]
    reduced = {axis % len(sides) for axis in axes}
    shape = [1 if i in reduced else side for i, side in enumerate(sides)]
    shape = shape if keep else [side for i, side in enumerate(shape) if i not in reduced]
    source = b.activation(sides, rng.uniform(0.01, 0.1))
    output = b.activation(tuple(shape), rng.uniform(0.003, 0.2))
    index = b.constant(np.array(axes, np.int32))
    b.operator("MEAN", (source, index), output, keep_dims=keep)
    return b.graph(source, output)


def pool(rng: np.random.Generator, dtype: str) -> Graph:
    """Average or maximum, any window, with and without a fused activation."""
    b = Builder(rng, dtype)
    height, width, channels = (int(n) for n in rng.integers(1, 9, 3))
    padding = str(rng.choice(["SAME", "VALID"]))
    limit: tuple[int, ...] = (height, width) if padding == "VALID" else (5, 5)
    kernel = tuple(int(rng.integers(1, n + 1)) for n in limit)
    stride = tuple(int(n) for n in rng.integers(1, 4, 2))
    sizes = [
        -(-n // s) if padding == "SAME" else (n - k) // s + 1
        for n, k, s in zip((height, width), kernel, stride, strict=True)
    ]
    zero = int(rng.integers(-128, 100))
    source = b.activation((1, height, width, channels), 0.05, zero)
    output = b.activation((1, *sizes, channels), 0.05, zero)
    b.operator(
        str(rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"])),
        (source,),
        output,
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        filter_h=kernel[0],
        filter_w=kernel[1],
        fused_activation=str(rng.choice(["NONE", "RELU", "RELU6"])),
    )
    return b.graph(source, output)


def padding(rng: np.random.Generator, dtype: str) -> Graph:
    """PAD or PADV2 alone, or PAD before a VALID convolution."""
    b = Builder(rng, dtype)
    height, width, channels = (int(n) for n in rng.integers(1, 7, 3))
    zero = int(rng.integers(-128, 128))
    source = b.activation((1, height, width, channels), 0.05, zero)
    amounts = rng.integers(0, 3, (4, 2)).astype(np.int32)
    amounts[0] = 0
    before_convolution = rng.random() < 0.5
    if before_convolution:
        amounts[3] = 0
        amounts[1:3, 0] += 1
        amounts[1:3, 1] += 1
    grown = tuple(int(n) for n in np.array((1, height, width, channels)) + amounts.sum(axis=1))
    inputs: tuple[int, ...] = (source, b.constant(amounts))
    kind = "PAD"
    if not before_convolution and rng.random() < 0.5:
        value = (
            b.constant(np.array([rng.integers(-128, 128)], np.int8), (0.05,), zero=zero)
            if dtype == "int8"
            else b.constant(np.array([1.5], np.float32))
        )
        inputs, kind = (*inputs, value), "PADV2"
    output = b.operator(kind, inputs, b.activation(grown, 0.05, zero))
    if before_convolution:
        weights = _weights(b, (4, 3, 3, channels), (0.01,), 0)
        after = b.activation((1, grown[1] - 2, grown[2] - 2, 4), 0.05)
        output = b.operator(
            "CONV_2D",
            (output, weights),
            after,
            padding="VALID",
            stride_h=1,
            stride_w=1,
            fused_activation="NONE",
            dilation_h=1,
            dilation_w=1,
        )
    return b.graph(source, output)


def unary(rng: np.random.Generator, dtype: str) -> Graph:
    """One or two operators of one operand over all codes."""
    b = Builder(rng, dtype)
    shape = (1, 16, 16, 1)
    kinds = ["HARD_SWISH", "LOGISTIC", "RELU", "RELU6"] + ["QUANTIZE"] * (dtype == "int8")
    scale = float(np.exp(rng.uniform(np.log(0.003), np.log(0.2))))
    source = output = b.activation(shape, scale)
    for _ in range(int(rng.integers(1, 3))):
        kind = str(rng.choice(kinds))
        before = b.tensors[output].quantization
        if kind == "LOGISTIC":
            after = b.activation(shape, 1 / 256, -128)
        elif kind == "RELU6" and before is not None:
            after = b.activation(shape, before.scales[0], before.zero_points[0])
        else:
            previous = before.scales[0] if before else scale
            after = b.activation(shape, previous * rng.uniform(0.3, 1.5))
        output = b.operator(kind, (output,), after)
    return b.graph(source, output)


def reshape(rng: np.random.Generator, dtype: str) -> Graph:
    """Between two operators, and at the end."""
    b = Builder(rng, dtype)
    side, channels = int(rng.integers(1, 6)), int(rng.integers(1, 6))
    zero = int(rng.integers(-128, 128))
    source = b.activation((1, side, side, channels), 0.05, zero)
    flat = (1, side * side * channels)
    activated = b.operator(
        "HARD_SWISH", (source,), b.activation((1, side, side, channels), 0.04, zero)
    )
    shape = b.constant(np.array(flat, np.int32))
    output = b.operator("RESHAPE", (activated, shape), b.activation(flat, 0.04, zero))
    weights = _weights(b, (3, flat[1]), (0.01,), 0)
    if rng.random() < 0.7:
        after = b.activation((1, 3), 0.05)
        output = b.operator("FULLY_CONNECTED", (output, weights), after, fused_activation="NONE")
    return b.graph(source, output)


def softmax(rng: np.random.Generator, dtype: str) -> Graph:
    """Over rows of a few to hundreds of classes, from flat to nearly one-hot."""
    b = Builder(rng, dtype)
    shape = (1, *(int(n) for n in rng.integers(1, 4, rng.integers(0, 3))))
    shape = (*shape, int(rng.choice([1, 2, 3, 10, 100, 300])))
    source = b.activation(shape, float(np.exp(rng.uniform(np.log(0.001), np.log(0.5)))))
    output = b.activation(shape, 1 / 256, -128)
    beta = float(np.float32(rng.choice([1.0, 0.5, 1.7])))
    b.operator("SOFTMAX", (source,), output, beta=beta)
    return b.graph(source, output)


def resize(rng: np.random.Generator, dtype: str) -> Graph:
    """Either kind, up and down, however pixels are aligned."""
    b = Builder(rng, dtype)
    height, width, channels = (int(n) for n in rng.integers(1, 9, 3))
    size = tuple(int(n) for n in rng.integers(1, 17, 2))
    align, half = ((False, False), (True, False), (False, True))[int(rng.integers(3))]
    zero = int(rng.integers(-128, 128))
    source = b.activation((1, height, width, channels), 0.05, zero)
    output = b.activation((1, *size, channels), 0.05, zero)
    b.operator(
        str(rng.choice(["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"])),
        (source, b.constant(np.array(size, np.int32))),
        output,
        align_corners=align,
        half_pixel_centers=half,
    )
    return b.graph(source, output)


def concatenation(rng: np.random.Generator, dtype: str) -> Graph:
    """One to four inputs along any axis: the source itself, what became of it, a constant."""
    b = Builder(rng, dtype)
    shape = (1, *(int(n) for n in rng.integers(1, 6, 3)))
    axis = int(rng.integers(1, 4))
    zero = int(rng.integers(-128, 128))
    source = b.activation(shape, 0.05, zero)
    other = b.operator("RELU6", (source,), b.activation(shape, 0.05, zero))
    sides = tuple(int(rng.integers(1, 4)) if i == axis else n for i, n in enumerate(shape))
    data = rng.integers(-128, 128, sides)
    fixed = (
        b.constant(data.astype(np.int8), (0.05,), zero=zero)
        if dtype == "int8"
        else b.constant((data / 64).astype(np.float32))
    )
    inputs = tuple(int(i) for i in rng.choice([source, other, fixed], rng.integers(0, 4)))
    inputs = (source, *inputs) if rng.random() < 0.5 else (*inputs, other)
    joined = sum(b.tensors[i].shape[axis] for i in inputs)
    grown = tuple(joined if i == axis else n for i, n in enumerate(shape))
    output = b.activation(grown, 0.05, zero)
    axis = axis if rng.random() < 0.5 else axis - 4
    b.operator("CONCATENATION", inputs, output, axis=axis, fused_activation="NONE")
    return b.graph(source, output)


def quantization(rng: np.random.Generator, dtype: str) -> Graph:
    """From codes to reals and back, or from reals to codes and back, with a step between."""
    b = Builder(rng, dtype)
    shape = (1, *(int(n) for n in rng.integers(2, 7, 3)))
    source = b.activation(shape, rng.uniform(0.01, 0.1))
    kinds = ("DEQUANTIZE", "QUANTIZE") if dtype == "int8" else ("QUANTIZE", "DEQUANTIZE")
    other = "float32" if dtype == "int8" else "int8"
    inner = b.operator(
        kinds[0], (source,), b.activation(shape, rng.uniform(0.02, 0.1), None, other)
    )
    if rng.random() < 0.7:
        after = b.activation(shape, rng.uniform(0.02, 0.1), None, other)
        inner = b.operator("HARD_SWISH" if rng.random() < 0.5 else "RELU", (inner,), after)
    output = b.operator(kinds[1], (inner,), b.activation(shape, rng.uniform(0.01, 0.1)))
    return b.graph(source, output)


CASES: Mapping[str, Case] = {
    case.__name__: case
    for case in (
        convolution,
        depthwise_convolution,
        zero_padded_kernel,
        fully_connected,
        binary,
        hard_sigmoid,
        mean,
        pool,
        padding,
        unary,
        reshape,
        softmax,
        resize,
        concatenation,
        quantization,
        moving.transpose,
        moving.part,
        moving.parts,
        moving.renamed,
        moving.extremes,
        moving.largest,
        layers.curves,
        layers.gelu,
        layers.prelu,
        layers.dilated,
        layers.batches,
        layers.padded_line,
        layers.backwards,
    )
}


def _output_scale(rng: np.random.Generator, taps: int) -> float:
    """Codes that spread over the range: sums of products of random codes, at the scales used."""
    deviation = 0.05 * 74 * 0.01 * 73 * np.sqrt(taps)
    return float(deviation / 64 * rng.uniform(0.5, 2))


def _weights(b: Builder, shape: tuple[int, ...], scales: tuple[float, ...], axis: int) -> int:
    codes = b.rng.integers(-127, 128, shape)
    if b.dtype == "float32":
        return b.constant((codes / 127).astype(np.float32))
    return b.constant(codes.astype(np.int8), scales, axis)


def _bias(b: Builder, channels: int, scales: tuple[float, ...]) -> int:
    codes = b.rng.integers(-3000, 3000, channels)
    if b.dtype == "float32":
        return b.constant((codes / 1000).astype(np.float32))
    return b.constant(codes.astype(np.int32), tuple(0.05 * scale for scale in scales))
