"""Random models of convolutions that are spread, written in several operators, or go backwards."""

from __future__ import annotations

import numpy as np

from codegen.ir import Graph
from tools.graphs.builder import Builder
from tools.graphs.weighted import PLAIN, output_scale, swept, weighted


def dilated(rng: np.random.Generator, dtype: str) -> Graph:
    """CONV_2D or DEPTHWISE_CONV_2D with taps up to three rows and columns apart."""
    b = Builder(rng, dtype)
    height, width, depth = (int(n) for n in rng.integers(1, 11, 3))
    kernel, apart = (tuple(int(n) for n in rng.integers(1, 4, 2)) for _ in range(2))
    apart = (apart[0], max(apart[1], 2)) if apart == (1, 1) else apart
    depthwise, padding = bool(rng.random() < 0.5), str(rng.choice(["SAME", "VALID"]))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, apart, strict=True)]
    if padding == "VALID":
        height, width = height + reach[0], width + reach[1]
    stride = (1, 1) if rng.random() < 0.7 else (2, 1)
    channels = depth * int(rng.integers(1, 3)) if depthwise else int(rng.integers(1, 9))
    sizes = swept((height, width), reach, stride, padding)
    source = b.activation((1, height, width, depth))
    shape = (1, *kernel, channels) if depthwise else (channels, *kernel, depth)
    taps = kernel[0] * kernel[1] * (1 if depthwise else depth)
    operands = weighted(b, shape, channels, 3 if depthwise else 0)
    output = b.activation((1, *sizes, channels), output_scale(rng, taps))
    b.operator(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        (source, *operands),
        output,
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        fused_activation=str(rng.choice(["NONE", "RELU"])),
        dilation_h=apart[0],
        dilation_w=apart[1],
        **({"depth_multiplier": channels // depth} if depthwise else {}),
    )
    return b.graph(source, output)


def batches(rng: np.random.Generator, dtype: str) -> Graph:
    """SPACE_TO_BATCH_ND, a convolution and BATCH_TO_SPACE_ND, of an image or of a line of samples."""
    b = Builder(rng, dtype)
    line, depthwise = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
    rank = 1 if line else 2
    block, taps = ([int(n) for n in rng.integers(1, 4, rank)] for _ in range(2))
    block[0] = max(block[0], 2)
    count = int(np.prod(block))
    before = [int(n) for n in rng.integers(0, 4, rank)]
    # Whole batches, in which every convolution finds room for its taps.
    inner = [taps[i] + int(rng.integers(1, 4)) for i in range(rank)]
    sides = [max(inner[i] * block[i] - before[i] - int(rng.integers(0, 3)), 1) for i in range(rank)]
    after = [inner[i] * block[i] - before[i] - sides[i] for i in range(rank)]
    before = [first + min(last, 0) for first, last in zip(before, after, strict=True)]
    after = [max(last, 0) for last in after]
    results = [inner[i] - taps[i] + 1 for i in range(rank)]
    crops = [(0, int(rng.integers(0, results[i] * block[i]))) for i in range(rank)]
    crops = [
        (min(1, last), max(last - 1, 0)) if rng.random() < 0.4 else (0, last) for _, last in crops
    ]
    depth = int(rng.integers(1, 6))
    channels = depth if depthwise else int(rng.integers(1, 6))
    zero, zero_after = (int(n) for n in rng.integers(-128, 128, 2))
    source = b.activation((1, *sides, depth), 0.05, zero)
    operand = b.constant(np.array(block, np.int32))
    padding = np.array(list(zip(before, after, strict=True)), np.int32)
    x = b.activation((count, *inner, depth), 0.05, zero)
    b.operator("SPACE_TO_BATCH_ND", (source, operand, b.constant(padding)), x)
    flat = [1] if line else []
    if line:
        image = (count, 1, *inner, depth)
        shape = b.constant(np.array(image, np.int32))
        x = b.operator("RESHAPE", (x, shape), b.activation(image, 0.05, zero))
    kernel = (*flat, *taps)
    whole = (1, *kernel, channels) if depthwise else (channels, *kernel, depth)
    weights = weighted(b, whole, channels, 3 if depthwise else 0, 1.0)
    scale = output_scale(rng, int(np.prod(taps)) * (1 if depthwise else depth))
    y = b.activation((count, *flat, *results, channels), scale, zero_after)
    b.operator(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        (x, *weights),
        y,
        **PLAIN,
        **({"depth_multiplier": 1} if depthwise else {}),
    )
    if line:
        rows = (count, *results, channels)
        shape = b.constant(np.array(rows, np.int32))
        y = b.operator("RESHAPE", (y, shape), b.activation(rows, scale, zero_after))
    made = [results[i] * block[i] - sum(crops[i]) for i in range(rank)]
    output = b.activation((1, *made, channels), scale, zero_after)
    b.operator("BATCH_TO_SPACE_ND", (y, operand, b.constant(np.array(crops, np.int32))), output)
    return b.graph(source, output)


def padded_line(rng: np.random.Generator, dtype: str) -> Graph:
    """PAD before the samples and after them, then a 1-D convolution: a causal one."""
    b = Builder(rng, dtype)
    length, depth, channels, taps = (int(n) for n in rng.integers(1, 7, 4))
    zero = int(rng.integers(-128, 128))
    edges = taps - 1 + int(rng.integers(0, 2)), int(rng.integers(0, 3))
    grown = length + sum(edges)
    source = b.activation((1, length, depth), 0.05, zero)
    amounts = b.constant(np.array([(0, 0), edges, (0, 0)], np.int32))
    x = b.operator("PAD", (source, amounts), b.activation((1, grown, depth), 0.05, zero))
    x = b.operator("RESHAPE", (x,), b.activation((1, 1, grown, depth), 0.05, zero))
    output = b.activation((1, 1, grown - taps + 1, channels), output_scale(rng, taps * depth))
    operands = weighted(b, (channels, 1, taps, depth), channels, 0)
    b.operator("CONV_2D", (x, *operands), output, **PLAIN)
    return b.graph(source, output)


def backwards(rng: np.random.Generator, dtype: str) -> Graph:
    """TRANSPOSE_CONV of any kernel, stride and padding."""
    b = Builder(rng, dtype)
    height, width, depth, channels = (int(n) for n in rng.integers(1, 7, 4))
    kernel, stride = (tuple(int(n) for n in rng.integers(1, top, 2)) for top in (5, 4))
    padding = str(rng.choice(["SAME", "VALID"]))
    sizes = tuple(
        n * s - int(rng.integers(0, min(s, n * s))) if padding == "SAME" else (n - 1) * s + k
        for n, s, k in zip((height, width), stride, kernel, strict=True)
    )
    source = b.activation((1, height, width, depth))
    output = b.activation((1, *sizes, channels), output_scale(rng, depth * kernel[0]))
    weights, *bias = weighted(b, (channels, *kernel, depth), channels, 0)
    shape = b.constant(np.array((1, *sizes, channels), np.int32))
    b.operator(
        "TRANSPOSE_CONV",
        (shape, weights, source, *bias),
        output,
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        fused_activation="NONE",
    )
    return b.graph(source, output)
