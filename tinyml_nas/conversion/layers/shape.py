"""What moves elements and computes nothing.

A flattened map has another order in Keras, (H, W, C), than in torch, (C, H, W); the weights of the dense layer that
reads it are put into that order instead (``Value.order``).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml_nas.conversion.backend import keras
from tinyml_nas.conversion.layers.base import NO_ZEROS, Call, Layer, UnsupportedError, Value


def flat(value: Value, name: str) -> Value:
    """A map as a vector."""
    (height, width), channels = value.sides, value.channels
    order = None
    if height * width > 1:
        places = np.arange(channels * height * width, dtype=np.int64)
        order = places.reshape(channels, height, width).transpose(1, 2, 0).reshape(-1)
    x = keras.layers.Flatten(name=name)(value.x)
    return Value(x, order, positive=value.positive)


def reshape(call: Call) -> Value:
    """``view``, ``squeeze`` and their kin: a map to a vector, a vector to a map of one pixel, or nothing."""
    value, (shape,) = call.value(), [out.shape for out in call.step.outputs]
    before = call.step.reads[0].shape
    sizes = [side for side in shape[1:] if side > 1]
    if shape[:1] == before[:1]:
        if value.is_map and len(shape) == 4 and shape[1:] == (value.channels, *value.sides):
            return value
        if len(sizes) <= 1 and shape[1:2] == (int(np.prod(shape[1:])),):
            vector = flat(value, call.name) if value.is_map else value
            if len(shape) < 4:
                return vector
            if vector.order is None:
                x = keras.layers.Reshape((1, 1, vector.channels), name=f"{call.name}_pixel")(
                    vector.x
                )
                return Value(x, positive=value.positive)
    raise UnsupportedError(
        f"{before[1:]} becomes {shape[1:]}; use layers that keep (N, C, H, W), and nn.Flatten before the first nn.Linear"
    )


def same(call: Call) -> Value:
    """What copies, or only looks at, a tensor."""
    value = call.raw()
    if call.step.outputs[0].shape != call.step.reads[0].shape:
        raise UnsupportedError(
            "it repeats elements; use a product or a sum, which do so by themselves"
        )
    return value


def pad(call: Call) -> Value:
    """``constant_pad_nd(x, sides, value)``: zeros around a map."""
    value, sides = call.raw(), list(call.argument(1, []))
    sides += [0] * (6 - len(sides))
    left, right, top, bottom, *others = sides
    if not value.is_map or any(others) or call.argument(2, 0) or min(sides) < 0:
        raise UnsupportedError("only zeros around height and width; use nn.ZeroPad2d")
    (above, below), (before, after) = value.zeros
    zeros = ((above + top, below + bottom), (before + left, after + right))
    return replace(value, zeros=zeros)


def concatenate(call: Call) -> Value:
    """``cat(tensors, axis)`` of channels."""
    symbols, axis = call.step.args[0], call.argument(1, 0)
    values = [call.values[symbol] for symbol in symbols if symbol in call.values]
    shapes = [symbol.shape for symbol in call.step.reads]
    if len(values) != len(symbols) or axis % len(shapes[0]) != 1:
        raise UnsupportedError(
            "only channels of maps, or features, are put side by side: torch.cat([...], 1)"
        )
    if any(value.zeros != NO_ZEROS for value in values):
        raise UnsupportedError("zeros around a map that is put beside another; pad after torch.cat")
    positive = all(value.positive for value in values)
    x = keras.layers.Concatenate(name=call.name)([value.x for value in values])
    if all(value.order is None for value in values):
        return Value(x, positive=positive)
    starts = np.cumsum([0, *(value.channels for value in values)])
    orders = [
        start + (np.arange(value.channels) if value.order is None else value.order)
        for start, value in zip(starts, values, strict=False)
    ]
    return Value(x, np.concatenate(orders), positive=positive)


def split(call: Call) -> tuple[Value, ...]:
    """``split(x, size, axis)`` and ``split_with_sizes`` of channels."""
    value = call.value()
    rank = len(call.step.reads[0].shape)
    if call.argument(2, 0) % rank != 1 or value.order is not None:
        raise UnsupportedError("only channels of a map are taken apart")
    sizes = [symbol.shape[1] for symbol in call.step.outputs]
    ends = np.cumsum(sizes).tolist()
    return tuple(_channels(value, end - size, end) for size, end in zip(sizes, ends, strict=True))


def cut(call: Call) -> Value:
    """``slice(x, axis, start, end, step)``: channels, or every so many rows or columns."""
    value, axis = call.raw(), call.argument(1, 0)
    before, after = call.step.reads[0].shape, call.step.outputs[0].shape
    if before == after:
        return value
    value = call.value()
    side = before[axis]
    start, step = call.argument(2, None) or 0, call.argument(4, 1)
    start = start + side if start < 0 else start
    end = start + after[axis]
    if axis == 1 and step == 1 and value.order is None:
        return _channels(value, start, end)
    if axis in (2, 3) and value.is_map:
        window = tuple(step if place == axis else 1 for place in (2, 3))
        if step == 1:
            crops = tuple((start, side - end) if place == axis else (0, 0) for place in (2, 3))
            x = keras.layers.Cropping2D(crops, name=call.name)(value.x)
            return Value(x, positive=value.positive)
        if start == 0:  # the maximum of one element is that element
            x = keras.layers.MaxPooling2D(1, window, "same", name=call.name)(value.x)
            return Value(x, positive=value.positive)
    raise UnsupportedError(
        f"takes elements {start}:{end}:{step} of axis {axis}; use channels, x[:, a:b]"
    )


def _channels(value: Value, start: int, end: int) -> Value:
    return Value(value.x[..., start:end], positive=value.positive)


LAYERS: dict[str, Layer] = {
    **dict.fromkeys(
        ("view", "_unsafe_view", "reshape", "_reshape_alias", "squeeze", "unsqueeze"), reshape
    ),
    **dict.fromkeys(
        ("clone", "alias", "detach", "_to_copy", "contiguous", "expand", "lift_fresh"), same
    ),
    "constant_pad_nd": pad,
    "cat": concatenate,
    "split": split,
    "split_with_sizes": split,
    "slice": cut,
}
