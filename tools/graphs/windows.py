"""Random models of operators that make one element of several: means, pools, resizing, softmax."""

from __future__ import annotations

import numpy as np

from codegen.ir import Graph
from tools.graphs.builder import Builder
from tools.graphs.weighted import swept


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
    sizes = swept((height, width), kernel, stride, padding)
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
