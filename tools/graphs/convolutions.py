"""Random models of convolutions and dense layers, as most networks have them."""

from __future__ import annotations

import numpy as np

from codegen.ir import Graph
from tools.graphs.builder import Builder
from tools.graphs.weighted import output_scale, random_bias, random_weights, swept

SCALE = 0.05  # of activations, unless drawn


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
    inputs = [source, random_weights(b, shape, scales, axis)]
    inputs += [random_bias(b, channels, scales)] if rng.random() < 0.8 else []
    sizes = swept((height, width), kernel, stride, padding)
    scale = output_scale(rng, taps)
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


def depthwise_line(rng: np.random.Generator, dtype: str) -> Graph:
    """Series of samples: one row or one column of pixels, up to 60 taps, any stride and padding.

    Where scales are powers of two apart, one sum of a few lies half way between two codes.
    """
    b = Builder(rng, dtype)
    length, taps = int(rng.integers(1, 150)), int(rng.choice([1, 2, 3, 4, 5, 6, 7, 9, 47, 48, 60]))
    stride = int(rng.choice([1, 1, 2, 3, 4]))
    padding = "VALID" if taps <= length and rng.random() < 0.4 else "SAME"
    channels = int(rng.choice([3, 4, 5, 8, 16, 18, 33]))
    halves = bool(rng.random() < 0.5)
    scales = (2.0**-8,) * channels if halves else tuple(rng.uniform(0.001, 0.02, channels))
    upright = bool(rng.random() < 0.5)
    (made,) = swept((length,), (taps,), (stride,), padding)
    # Taps beside a column of pixels meet nothing.
    beside = int(rng.choice([1, 3])) if padding == "SAME" else 1
    sides = [(length, 1), (taps, beside), (made, 1)]
    image, kernel, output = (side if upright else side[::-1] for side in sides)
    source = b.activation((1, *image, channels), SCALE)
    weights = random_weights(b, (1, *kernel, channels), scales, 3)
    floor = -128 if rng.random() < 0.5 else None
    scale = SCALE * 2.0 ** int(rng.integers(-2, 2)) if halves else output_scale(rng, taps)
    target = b.activation((1, *output, channels), scale, floor)
    b.operator(
        "DEPTHWISE_CONV_2D",
        (source, weights, random_bias(b, channels, scales)),
        target,
        padding=padding,
        stride_h=stride,
        stride_w=stride,
        fused_activation=str(rng.choice(["NONE", "RELU", "RELU6"])),
        dilation_h=1,
        dilation_w=1,
        depth_multiplier=1,
    )
    return b.graph(source, target)


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
        (1, side // 2, side // 2, channels), output_scale(rng, weights.size // channels)
    )
    b.operator(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        (source, index, random_bias(b, channels, scales)),
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
    inputs = (
        source,
        random_weights(b, (channels, depth), scales, 0),
        random_bias(b, channels, scales),
    )
    output = b.activation((*lead, channels), output_scale(rng, depth))
    activation = str(rng.choice(["NONE", "RELU", "RELU6"]))
    b.operator("FULLY_CONNECTED", inputs, output, fused_activation=activation)
    return b.graph(source, output)
