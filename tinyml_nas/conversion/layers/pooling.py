"""Pooling. What pads a maximum is minus infinity in torch: zeros do where nothing is below them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyml_nas.conversion.backend import keras
from tinyml_nas.conversion.layers.base import (
    Call,
    Layer,
    UnsupportedError,
    Value,
    padded,
    pair,
)
from tinyml_nas.conversion.layers.convolution import zeros_for_same
from tinyml_nas.conversion.layers.shape import flat


def max_pool(call: Call) -> tuple[Value, Value]:
    """``max_pool2d_with_indices(x, kernel, stride, padding, dilation, ceil_mode)``."""
    value = _map(call)
    kernel, strides, padding = _window(call)
    if pair(call.argument(4, 1)) != (1, 1):
        raise UnsupportedError("a dilated maximum; use dilation=1")
    mode = "valid"
    if padding != (0, 0):
        axes = zip(value.sides, kernel, strides, padding, strict=True)
        if all(zeros_for_same(s, k, t, (p, p)) == 0 for s, k, t, p in axes):
            mode = "same"
        elif value.positive:
            value = _with_zeros(value, padding, call.name)
        else:
            raise UnsupportedError(
                "the maximum pads a map that may be negative; put the activation before it, or use padding=0"
            )
    layer = keras.layers.MaxPooling2D(kernel, strides, mode, name=call.name)
    out = Value(layer(value.x), positive=value.positive)
    _check_size(call, out, "ceil_mode")
    return out, out


def average_pool(call: Call) -> Value:
    """``avg_pool2d(x, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)``."""
    value = _map(call)
    kernel, strides, padding = _window(call)
    if padding != (0, 0):
        if not call.argument(5, default=True):
            raise UnsupportedError(
                "an average that leaves padding out; use padding=0 or count_include_pad=True"
            )
        value = _with_zeros(value, padding, call.name)
    if call.argument(6, None) is not None:
        raise UnsupportedError("divisor_override; leave it out")
    layer = keras.layers.AveragePooling2D(kernel, strides, name=call.name)
    out = Value(layer(value.x), positive=value.positive)
    _check_size(call, out, "ceil_mode")
    return out


def adaptive_average(call: Call) -> Value:
    """``_adaptive_avg_pool2d(x, sides)``: windows of one size."""
    value, sides = _map(call), pair(call.argument(1, 1))
    if any(have % want for have, want in zip(value.sides, sides, strict=True)):
        raise UnsupportedError(
            f"a map of {value.sides} averaged to {sides}, in windows of several sizes; use sides that divide it, or 1"
        )
    kernel = tuple(have // want for have, want in zip(value.sides, sides, strict=True))
    x = keras.layers.AveragePooling2D(kernel, name=call.name)(value.x)
    return Value(x, positive=value.positive)


def mean(call: Call) -> Value:
    """``mean(x, axes, keepdim)`` over height and width; a pixel is its own mean."""
    value = _over_map(call)
    if value.sides != (1, 1):  # TensorFlow would write two RESHAPEs
        x = keras.layers.GlobalAveragePooling2D(keepdims=True, name=call.name)(value.x)
        value = Value(x, positive=value.positive)
    return value if call.argument(2, default=False) else flat(value, f"{call.name}_flat")


def largest(call: Call) -> Value:
    """``amax(x, axes, keepdim)`` over height and width."""
    value = _over_map(call)
    x = keras.layers.GlobalMaxPooling2D(keepdims=True, name=call.name)(value.x)
    out = Value(x, positive=value.positive)
    return out if call.argument(2, default=False) else flat(out, f"{call.name}_flat")


def adaptive_largest(call: Call) -> tuple[Value, Value]:
    """``adaptive_max_pool2d(x, sides)``: of the whole map alone."""
    value = _map(call)
    if pair(call.argument(1, 1)) != (1, 1):
        raise UnsupportedError("nn.AdaptiveMaxPool2d; use it with 1, or nn.MaxPool2d")
    x = keras.layers.GlobalMaxPooling2D(keepdims=True, name=call.name)(value.x)
    out = Value(x, positive=value.positive)
    return out, out


def _map(call: Call) -> Value:
    value = call.value()
    if not value.is_map:
        raise UnsupportedError("pools what has no height and width")
    return value


def _over_map(call: Call) -> Value:
    value, axes = call.value(), call.argument(1, None)
    rank = len(call.step.reads[0].shape)
    if not value.is_map or {axis % rank for axis in axes or ()} != {2, 3}:
        raise UnsupportedError(
            f"{call.step.op} over axes {axes}; use it over height and width, (2, 3)"
        )
    return value


def _window(call: Call) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    kernel = pair(call.argument(1, None))
    given: Any = call.argument(2, [])
    return kernel, pair(given) if given else kernel, pair(call.argument(3, 0))


def _with_zeros(value: Value, padding: tuple[int, int], name: str) -> Value:
    rows, columns = padding
    return padded(replace(value, zeros=((rows, rows), (columns, columns))), f"{name}_pad")


def _check_size(call: Call, out: Value, option: str) -> None:
    wanted = call.step.outputs[0].shape[2:]
    if out.sides != wanted:
        raise UnsupportedError(f"{option} makes a map of {wanted}, not {out.sides}; leave it out")


LAYERS: dict[str, Layer] = {
    "max_pool2d_with_indices": max_pool,
    "avg_pool2d": average_pool,
    "_adaptive_avg_pool2d": adaptive_average,
    "mean": mean,
    "amax": largest,
    "adaptive_max_pool2d": adaptive_largest,
}
