"""Convolutions, dense layers and BatchNorms.

A convolution's padding becomes TensorFlow's ``same`` where that can be (``zeros_for_same``), because nothing has to
be copied then; else zeros are put around first, which the compiler makes part of the convolution again.
"""

from __future__ import annotations

import numpy as np

from tinyml_nas.conversion.backend import keras
from tinyml_nas.conversion.layers.base import (
    NO_ZEROS,
    Array,
    Call,
    Layer,
    Sides,
    UnsupportedError,
    Value,
    affine,
    padded,
    pair,
    with_weights,
)


def convolution(call: Call) -> Value:
    """``convolution(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups)``."""
    value, weight = call.raw(), call.constant(1)
    _, _, _, strides, padding, dilation, transposed, _, groups = call.step.args
    if weight is None or weight.ndim != 4:
        raise UnsupportedError("only convolutions over height and width; use nn.Conv2d")
    if transposed:
        raise UnsupportedError("no transposed convolution; use nn.Conv2d")
    if max(pair(strides)) > 1 and max(pair(dilation)) > 1:  # Keras has not both
        weight, dilation = _spread(weight, pair(dilation)), (1, 1)
    outputs = weight.shape[0]
    depthwise = groups > 1 and groups == value.channels
    if groups > 1 and not depthwise:
        raise UnsupportedError(
            f"groups must be 1 or one for each channel; got {groups} for {value.channels} channels"
        )
    rows, columns = pair(padding)
    (top, bottom), (left, right) = value.zeros
    around: Sides = ((top + rows, bottom + rows), (left + columns, right + columns))
    kernel, mode, outside = _placed(weight, value, pair(strides), pair(dilation), around)
    options = {
        "kernel_size": kernel.shape[2:],
        "strides": pair(strides),
        "dilation_rate": pair(dilation),
        "padding": mode,
        "use_bias": call.argument(2, None) is not None,
        "name": call.name,
    }
    x = padded(Value(value.x, zeros=outside), f"{call.name}_pad").x
    if depthwise:
        times = outputs // groups
        layer = keras.layers.DepthwiseConv2D(depth_multiplier=times, **options)
        # (C * times, 1, kh, kw) -> (kh, kw, C, times)
        kernel = kernel.transpose(2, 3, 0, 1).reshape(*kernel.shape[2:], groups, times)
    else:
        layer = keras.layers.Conv2D(outputs, **options)
        kernel = kernel.transpose(2, 3, 1, 0)  # (O, I, kh, kw) -> (kh, kw, I, O)
    return Value(with_weights(layer, x, kernel, call.constant(2)))


def _spread(weight: Array, dilation: tuple[int, int]) -> Array:
    """The same kernel (O, I, kh, kw) without holes: zeros lie in them."""
    rows, columns = (
        (taps - 1) * apart + 1 for taps, apart in zip(weight.shape[2:], dilation, strict=True)
    )
    spread = np.zeros((*weight.shape[:2], rows, columns), weight.dtype)
    spread[:, :, :: dilation[0], :: dilation[1]] = weight
    return spread


def _placed(
    weight: Array,
    value: Value,
    strides: tuple[int, int],
    dilation: tuple[int, int],
    around: Sides,
) -> tuple[Array, str, Sides]:
    """The kernel, how Keras is to pad, and the zeros that are put around before."""
    if around == NO_ZEROS and weight.shape[2:] != (1, 1):
        return weight, "valid", NO_ZEROS
    if dilation == (1, 1):
        zeros = [
            zeros_for_same(*axis)
            for axis in zip(value.sides, weight.shape[2:], strides, around, strict=True)
        ]
        if zeros[0] is not None and zeros[1] is not None:
            grown = np.pad(weight, ((0, 0), (0, 0), (0, zeros[0]), (0, zeros[1])))
            return grown, "same", NO_ZEROS
    return weight, "valid", around


def zeros_for_same(size: int, kernel: int, stride: int, padding: tuple[int, int]) -> int | None:
    """Rows of zeros (0 or 1) to append to a kernel so that ``same`` pads as torch does; None where it cannot.

    ``padding`` is torch's, before and after the map. ``same`` pads (ceil(size / stride) - 1) * stride
    + kernel - size in all, the smaller half first. At stride 2 on an even map that is one less than
    a symmetric 2 * (kernel // 2), and the image would shift by a pixel; a kernel with one more, zero
    row makes it whole again, and no PAD operator is needed. At stride 1 and on odd maps ``same`` is
    symmetric as it is.
    """
    outputs = -(-size // stride)
    before, after = padding
    if outputs == (size + before + after - kernel) // stride + 1:
        for zeros in (0, 1):
            around = max((outputs - 1) * stride + kernel + zeros - size, 0)
            if around // 2 == before:
                return zeros
    return None


def dense(call: Call) -> Value:
    """``addmm(bias, x, weight)`` and ``mm(x, weight)``; the weights (features, outputs) in Keras's order."""
    with_bias = call.step.op == "addmm"
    value = call.value(int(with_bias))
    weight = call.constant(1 + with_bias)
    bias = call.constant(0) if with_bias else None
    if weight is None or value.is_map or call.step.options:
        raise UnsupportedError("a product of matrices that is no nn.Linear; use nn.Linear")
    if value.order is not None:
        weight = weight[value.order]
    layer = keras.layers.Dense(weight.shape[1], use_bias=with_bias, name=call.name)
    return Value(with_weights(layer, value.x, weight, bias))


def batch_norm(call: Call) -> tuple[Value, Value, Value]:
    """``native_batch_norm(x, weight, bias, mean, variance, training, momentum, eps)`` that follows no convolution."""
    value = call.value()
    mean, variance = call.constant(3), call.constant(4)
    if mean is None or variance is None or call.argument(5, default=False):
        raise UnsupportedError(
            "it measures statistics of each image; use nn.BatchNorm2d with track_running_stats"
        )
    weight, bias = call.constant(1), call.constant(2)
    scale = (1.0 if weight is None else weight) / np.sqrt(variance + call.argument(7, 1e-5))
    shift = (0.0 if bias is None else bias) - mean * scale
    out = affine(value, scale, shift, call.name)
    return out, out, out  # its second and third outputs are of training alone


LAYERS: dict[str, Layer] = {
    "convolution": convolution,
    "addmm": dense,
    "mm": dense,
    "native_batch_norm": batch_norm,
}
