"""Random models of operators that move elements or compare them: shapes, axes and regions of any kind."""

from __future__ import annotations

import numpy as np

from codegen.ir import Graph
from tools.graphs.builder import Builder
from tools.graphs.weighted import PLAIN, random_weights


def transpose(rng: np.random.Generator, dtype: str) -> Graph:
    """One to three axes behind the batch, in any order, some of them of size one."""
    b = Builder(rng, dtype)
    shape = (1, *(int(n) for n in rng.integers(1, 7, rng.integers(1, 4))))
    zero = int(rng.integers(-128, 128))
    source = b.activation(shape, 0.05, zero)
    order = np.array([0, *(1 + rng.permutation(len(shape) - 1))])
    output = b.activation(tuple(shape[axis] for axis in order), 0.05, zero)
    b.operator("TRANSPOSE", (source, b.constant(order.astype(np.int32))), output)
    return b.graph(source, output)


def part(rng: np.random.Generator, dtype: str) -> Graph:
    """SLICE or STRIDED_SLICE: any region, step and direction; axes that are dropped."""
    b = Builder(rng, dtype)
    shape = (1, *(int(n) for n in rng.integers(2, 8, rng.integers(1, 4))))
    zero = int(rng.integers(-128, 128))
    source = b.activation(shape, 0.05, zero)
    begins = [int(rng.integers(0, side)) for side in shape]
    ends = [
        int(rng.integers(begin + 1, side + 1)) for begin, side in zip(begins, shape, strict=True)
    ]
    if rng.random() < 0.4:
        sizes = [end - begin for begin, end in zip(begins, ends, strict=True)]
        output = b.activation(tuple(sizes), 0.05, zero)
        sizes = [
            -1 if end == side and rng.random() < 0.5 else size
            for size, end, side in zip(sizes, ends, shape, strict=True)
        ]
        b.operator("SLICE", (source, _vector(b, begins), _vector(b, sizes)), output)
        return b.graph(source, output)
    steps = [int(n) for n in rng.choice([1, 1, 2, 3, -1, -2], len(shape))]
    masks = {"begin_mask": 0, "end_mask": 0, "shrink_axis_mask": 0}
    indices: list[slice | int] = []
    for axis, side in enumerate(shape):
        if steps[axis] < 0:  # from the last element down to one behind the end
            begins[axis], ends[axis] = ends[axis] - 1, begins[axis] - 1 - side
            if ends[axis] + side >= 0:
                ends[axis] += side
        first: int | None = begins[axis]
        last: int | None = ends[axis]
        if 0 < axis < len(shape) - 1 and rng.random() < 0.3:
            steps[axis], indices = 1, [*indices, begins[axis]]
            masks["shrink_axis_mask"] |= 1 << axis
            continue
        if rng.random() < 0.3:
            first, masks["begin_mask"] = None, masks["begin_mask"] | 1 << axis
        if rng.random() < 0.3:
            last, masks["end_mask"] = None, masks["end_mask"] | 1 << axis
        indices.append(slice(first, last, steps[axis]))
    output = b.activation(np.empty(shape, np.int8)[tuple(indices)].shape, 0.05, zero)
    operands = tuple(_vector(b, values) for values in (begins, ends, steps))
    b.operator("STRIDED_SLICE", (source, *operands), output, **masks)
    return b.graph(source, output)


def parts(rng: np.random.Generator, dtype: str) -> Graph:
    """SPLIT, SPLIT_V or UNPACK, then CONCATENATION or PACK in another order: a channel shuffle."""
    b = Builder(rng, dtype)
    zero, kind = int(rng.integers(-128, 128)), str(rng.choice(["SPLIT", "SPLIT_V", "UNPACK"]))
    axis = int(rng.integers(1, 4))
    count = int(rng.integers(2, 5))
    shape = [1, *(int(n) for n in rng.integers(1, 6, 3))]
    each = shape[axis]
    sizes = [each] * count if kind == "SPLIT" else [int(n) for n in rng.integers(1, 4, count)]
    shape[axis] = count if kind == "UNPACK" else sum(sizes)
    source = b.activation(tuple(shape), 0.05, zero)
    rest = tuple(shape[:axis]), tuple(shape[axis + 1 :])
    pieces = tuple(
        b.activation((*rest[0], *(() if kind == "UNPACK" else (size,)), *rest[1]), 0.05, zero)
        for size in sizes
    )
    given = axis if rng.random() < 0.5 else axis - 4
    if kind == "UNPACK":
        b.several(kind, (source,), pieces, num=count, axis=given)
    elif kind == "SPLIT":
        index = b.constant(np.asarray(given, np.int32))
        b.several(kind, (index, source), pieces, num_splits=count)
    else:
        index = b.constant(np.asarray(given, np.int32))
        b.several(kind, (source, _vector(b, sizes), index), pieces, num_splits=count)
    order = tuple(pieces[i] for i in rng.permutation(count))
    output = b.activation(tuple(shape), 0.05, zero)
    if kind == "UNPACK":
        b.operator("PACK", order, output, axis=axis, values_count=count)
    else:
        b.operator("CONCATENATION", order, output, axis=axis, fused_activation="NONE")
    return b.graph(source, output)


def renamed(rng: np.random.Generator, dtype: str) -> Graph:
    """EXPAND_DIMS and SQUEEZE around an operator, as 1-D convolutions have them."""
    b = Builder(rng, dtype)
    length, channels = (int(n) for n in rng.integers(1, 9, 2))
    zero = int(rng.integers(-128, 128))
    source = b.activation((1, length, channels), 0.05, zero)
    axis = b.constant(np.asarray(1, np.int32))
    image = (1, 1, length, channels)
    x = b.operator("EXPAND_DIMS", (source, axis), b.activation(image, 0.05, zero))
    x = b.operator("HARD_SWISH", (x,), b.activation(image, 0.04, zero))
    output = b.operator("SQUEEZE", (x,), b.activation((1, length, channels), 0.04, zero))
    return b.graph(source, output)


def extremes(rng: np.random.Generator, dtype: str) -> Graph:
    """MAXIMUM or MINIMUM of an activation and a constant, or of it and its own largest pixels."""
    b = Builder(rng, dtype)
    shape = (1, *(int(n) for n in rng.integers(2, 7, 3)))
    zero = int(rng.integers(-128, 128))
    source = b.activation(shape, 0.05, zero)
    if rng.random() < 0.4:
        axes = b.constant(np.array([1, 2], np.int32))
        other = b.activation((1, 1, 1, shape[3]), 0.05, zero)
        b.operator("REDUCE_MAX", (source, axes), other, keep_dims=True)
        kind = "MINIMUM"
    else:
        data = rng.integers(-128, 128, shape[3:] if rng.random() < 0.5 else shape)
        other = (
            b.constant(data.astype(np.int8), (0.05,), zero=zero)
            if dtype == "int8"
            else b.constant((data / 64).astype(np.float32))
        )
        kind = str(rng.choice(["MAXIMUM", "MINIMUM"]))
    operands = (source, other) if rng.random() < 0.5 else (other, source)
    output = b.operator(kind, operands, b.activation(shape, 0.05, zero))
    return b.graph(source, output)


def largest(rng: np.random.Generator, dtype: str) -> Graph:
    """REDUCE_MAX over height and width, or over time."""
    b = Builder(rng, dtype)
    sides = (1, *(int(n) for n in rng.integers(1, 9, 3 if rng.random() < 0.6 else 2)))
    zero, keep = int(rng.integers(-128, 128)), bool(rng.random() < 0.5)
    axes = list(range(1, len(sides) - 1))
    shape = (1, *([1] * len(axes) if keep else []), sides[-1])
    source, output = b.activation(sides, 0.05, zero), b.activation(shape, 0.05, zero)
    index = b.constant(np.array(axes, np.int32))
    b.operator("REDUCE_MAX", (source, index), output, keep_dims=keep)
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
        weights = random_weights(b, (4, 3, 3, channels), (0.01,), 0)
        after = b.activation((1, grown[1] - 2, grown[2] - 2, 4), 0.05)
        output = b.operator("CONV_2D", (output, weights), after, **PLAIN)
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
    weights = random_weights(b, (3, flat[1]), (0.01,), 0)
    if rng.random() < 0.7:
        after = b.activation((1, 3), 0.05)
        output = b.operator("FULLY_CONNECTED", (output, weights), after, fused_activation="NONE")
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


def _vector(b: Builder, values: list[int]) -> int:
    return b.constant(np.array(values, np.int32))
