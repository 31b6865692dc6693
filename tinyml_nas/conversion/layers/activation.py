"""Functions of one element.

Hard-swish and hard-sigmoid are Keras 3's ``hard_silu`` and ``hard_sigmoid``, relu6(x + 3) / 6.
"""

from __future__ import annotations

import math
from functools import partial

from tinyml_nas.conversion.backend import keras
from tinyml_nas.conversion.layers.base import Call, Layer, UnsupportedError, Value, with_weights

POSITIVE = frozenset({"relu", "relu6", "hard_sigmoid", "sigmoid", "softmax"})


def _activation(name: str, call: Call) -> Value:
    value = call.value()
    x = keras.layers.Activation(name, name=call.name)(value.x)
    return Value(x, value.order, positive=name in POSITIVE)


def clamp(default: tuple[float | None, float | None], call: Call) -> Value:
    """``hardtanh(x, low, high)`` and ``clamp(x, low, high)``: ReLU, ReLU6, or nothing else."""
    low, high = (call.argument(1 + place, default[place]) for place in (0, 1))
    if low == 0 and (high is None or math.isinf(high)):
        return _activation("relu", call)
    if (low, high) == (0, 6):
        return _activation("relu6", call)
    raise UnsupportedError(f"clips to {low}..{high}; use nn.ReLU or nn.ReLU6")


def leaky_relu(call: Call) -> Value:
    """``leaky_relu(x, slope)``."""
    value, slope = call.value(), call.argument(1, 0.01)
    x = keras.layers.LeakyReLU(negative_slope=slope, name=call.name)(value.x)
    return Value(x, value.order)


def prelu(call: Call) -> Value:
    """``_prelu_kernel(x, slopes)``, one slope or one for each channel."""
    value, slopes = call.value(), call.constant(1)
    if slopes is None or not value.is_map:
        raise UnsupportedError("nn.PReLU of a vector; use it on maps, or nn.LeakyReLU")
    slopes = slopes.reshape(1, 1, -1)
    if slopes.size == 1:
        slopes = slopes.repeat(value.channels, 2)
    layer = keras.layers.PReLU(shared_axes=[1, 2], name=call.name)
    return Value(with_weights(layer, value.x, slopes))


def elu(call: Call) -> Value:
    """``elu(x, alpha, scale, input_scale)``."""
    value, options = call.value(), [call.argument(place, 1.0) for place in (1, 2, 3)]
    if options != [1, 1, 1]:
        raise UnsupportedError(f"only with alpha 1 and no scale; got {options}; use nn.ELU()")
    return Value(keras.layers.Activation("elu", name=call.name)(value.x), value.order)


def softmax(name: str, call: Call) -> Value:
    """``_softmax(x, axis, half)`` over the classes."""
    value, axis = call.value(), call.argument(1, 1)
    if value.is_map or axis not in (1, -1):
        raise UnsupportedError("a softmax of anything but logits; leave it out")
    return Value(keras.layers.Activation(name, name=call.name)(value.x), value.order)


LAYERS: dict[str, Layer] = {
    "relu": partial(_activation, "relu"),
    "hardswish": partial(_activation, "hard_silu"),
    "hardsigmoid": partial(_activation, "hard_sigmoid"),
    "sigmoid": partial(_activation, "sigmoid"),
    "silu": partial(_activation, "silu"),
    "tanh": partial(_activation, "tanh"),
    "hardtanh": partial(clamp, (-1.0, 1.0)),
    "clamp": partial(clamp, (None, None)),
    "clamp_min": partial(clamp, (None, None)),
    "leaky_relu": leaky_relu,
    "_prelu_kernel": prelu,
    "elu": elu,
    "_softmax": partial(softmax, "softmax"),
    "_log_softmax": partial(softmax, "log_softmax"),
}
