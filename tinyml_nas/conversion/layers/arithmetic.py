"""Sums and products of two tensors, and of a tensor with constants."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from tinyml_nas.conversion.backend import keras
from tinyml_nas.conversion.layers.base import Array, Call, Layer, UnsupportedError, Value, affine
from tinyml_nas.network.trace import Symbol

MERGES = {
    "add": keras.layers.Add,
    "sub": keras.layers.Subtract,
    "mul": keras.layers.Multiply,
}


def binary(call: Call) -> Value:
    """``add(a, b, alpha)``, ``sub``, ``mul`` and ``div``."""
    op, (first, second) = call.step.op, call.step.args[:2]
    if call.step.options.get("alpha", 1) != 1:
        raise UnsupportedError("alpha; multiply before")
    if not isinstance(first, Symbol):
        if op == "div":
            raise UnsupportedError("a constant divided by a tensor")
        made = _with_constant(call, 1, *_line(op, _numbers(first), first=True))
    elif not isinstance(second, Symbol):
        made = _with_constant(call, 0, *_line(op, _numbers(second), first=False))
    elif op == "div":
        raise UnsupportedError("a tensor divided by another")
    else:
        made = _merged(call)
    return made


def subtracted_from(call: Call) -> Value:
    """``rsub(x, number)``."""
    return _with_constant(call, 0, *_line("sub", _numbers(call.step.args[1]), first=True))


def negative(call: Call) -> Value:
    """``neg(x)``."""
    return _with_constant(call, 0, np.array(-1.0), np.array(0.0))


def power(call: Call) -> Value:
    """``pow(x, 2)``."""
    value = call.value()
    if call.argument(1, None) != 2:
        raise UnsupportedError(f"a power of {call.argument(1, None)}; use x * x")
    return Value(
        keras.layers.Multiply(name=call.name)([value.x, value.x]), value.order, positive=True
    )


def _merged(call: Call) -> Value:
    one, other = call.value(0), call.value(1)
    shapes = [symbol.shape[1:] for symbol in call.step.reads]
    gated = len(set(shapes)) == 1 or (
        one.is_map
        and other.is_map
        and one.channels == other.channels
        and (1, 1) in (one.sides, other.sides)
    )
    orders = [None if value.order is None else value.order.tolist() for value in (one, other)]
    if not gated or orders[0] != orders[1]:
        raise UnsupportedError(
            f"{call.step.op} of {shapes[0]} and {shapes[1]}; use tensors of one shape, or one of (C, 1, 1)"
        )
    x = MERGES[call.step.op](name=call.name)([one.x, other.x])
    positive = one.positive and other.positive and call.step.op != "sub"
    return Value(x, one.order, positive=positive)


def _line(op: str, number: Array, *, first: bool) -> tuple[Array, Array]:
    """Factor and summand of x."""
    one, none = np.ones_like(number), np.zeros_like(number)
    if op == "mul":
        return number, none
    if op == "div":
        return 1 / number, none
    if op == "sub":
        return (-one, number) if first else (one, -number)
    return one, number


def _with_constant(call: Call, place: int, scale: Array, shift: Array) -> Value:
    value = call.value(place)
    if scale.size == 1:
        layer = keras.layers.Rescaling(float(scale.item()), float(shift.item()), name=call.name)
        positive = value.positive and scale.item() >= 0 and shift.item() >= 0
        return Value(layer(value.x), value.order, positive=positive)
    axes = 3 if value.is_map else 1
    shape = scale.shape[-axes:]
    if shape[0] != value.channels or scale.size != value.channels:
        raise UnsupportedError(
            f"{call.step.op} with constants {scale.shape}; use one number, or one for each channel"
        )
    return affine(value, scale.reshape(-1), shift.reshape(-1), call.name)


def _numbers(constant: Any) -> Array:
    if isinstance(constant, Tensor):
        return np.asarray(constant.double().numpy())
    return np.array(float(constant))


LAYERS: dict[str, Layer] = {
    **dict.fromkeys(("add", "sub", "mul", "div"), binary),
    "rsub": subtracted_from,
    "neg": negative,
    "pow": power,
}
