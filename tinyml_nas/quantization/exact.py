"""A float network computed to the same bits on every machine.

Sums are where computers differ: a library adds in an order that depends on the instruction set, the
number of threads and the sizes of caches, and each order rounds otherwise. Here the factors of every sum of
products are first rounded to a fixed point, coarse enough for all products and partial sums to be whole
multiples of one unit, and less than 2^53 of it. A float64 holds those exactly: in no order is
anything rounded, and every BLAS gives the same sum. What is left are single operations of float64, which
IEEE 754 defines to the bit.

A factor keeps (53 - log2(terms)) / 2 bits: 19 for the widest layers of a microcontroller, 22 for most,
about as many as the sums of float32 have right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from codegen.ir import Graph, ModelError, Op
from codegen.ops.dilated import dilation_of, reach
from codegen.ops.window import Window, window_of
from tinyml_nas.quantization.kernels import OTHERS, Kernel

Array: TypeAlias = npt.NDArray[np.float64]

MANTISSA_BITS = 53
NOTHING = np.zeros(0)


class ExactNetwork:
    """A float graph, ready to be run on one image after the other.

    Raises:
        ModelError: an operator that has no kernel here.
    """

    def __init__(self, graph: Graph) -> None:
        for op in graph.ops:
            fused = op.options.get("fused_activation", "NONE")
            if op.kind not in KERNELS or fused not in ACTIVATIONS:
                raise ModelError(
                    f"cannot be quantized: operator {op.kind} with activation {fused}; operators: "
                    f"{', '.join(sorted(KERNELS))}; activations: {', '.join(ACTIVATIONS)}"
                )
        self.graph = graph
        self._constants = [
            NOTHING if tensor.data is None else tensor.data.astype(np.float64)
            for tensor in graph.tensors
        ]
        for op in graph.ops:
            if op.kind in WEIGHT_AXES:
                self._constants[op.inputs[1]] = _weights(op.kind, self._constants[op.inputs[1]])

    def run(
        self,
        image: npt.NDArray[np.float32],
        clips: Mapping[int, tuple[float, float]] = MappingProxyType({}),
    ) -> list[Array]:
        """Every tensor, by its index, for an image (S, S, 3).

        The tensors in ``clips`` are clipped to a lowest and a highest value where they are made.
        """
        values = list(self._constants)
        values[self.graph.inputs[0]] = image.astype(np.float64)[np.newaxis]
        for op in self.graph.ops:
            (made,) = op.outputs
            values[made] = self._compute(op, values)
            if made in clips:
                values[made] = values[made].clip(*clips[made])
        return values

    def output_with(self, values: list[Array], number: int, other: Array) -> Array:
        """The network's output if operator ``number`` put out ``other``, all before it as in ``values``."""
        values = list(values)
        (made,) = self.graph.ops[number].outputs
        values[made] = other
        changed = {made}
        for op in self.graph.ops[number + 1 :]:
            if not changed.isdisjoint(op.inputs):
                (made,) = op.outputs
                values[made] = self._compute(op, values)
                changed.add(made)
        return values[self.graph.outputs[0]]

    def linear(self, number: int, image: Array, weights: Array) -> Array:
        """What operator ``number`` sums up for another ``image`` and ``weights``: no bias, no activation."""
        op = self.graph.ops[number]
        return KERNELS[op.kind](self.graph, op, [image, _weights(op.kind, weights)])

    def _compute(self, op: Op, values: list[Array]) -> Array:
        inputs = [values[index] for index in op.inputs if index >= 0]
        fused = ACTIVATIONS[str(op.options.get("fused_activation", "NONE"))]
        shape = self.graph.tensors[op.outputs[0]].shape
        return fused(KERNELS[op.kind](self.graph, op, inputs).reshape(shape))


def fixed_point(values: Array, terms: int, axes: tuple[int, ...] | None = None) -> Array:
    """Round to multiples of a power of two, so few that ``terms`` products of two of them add up exactly.

    The power follows from the largest value, of the whole array or of each slice over ``axes``.
    """
    bits = (MANTISSA_BITS - terms.bit_length()) // 2
    _, exponent = np.frexp(np.abs(values).max(axis=axes, keepdims=True))
    unit = np.ldexp(1.0, exponent - bits)
    rounded: Array = np.rint(values / unit) * unit
    return rounded


def mean(values: Array, axes: tuple[int, ...]) -> Array:
    """The mean over ``axes``, the same bits in every order."""
    count = int(np.prod([values.shape[axis] for axis in axes]))
    result: Array = fixed_point(values, count).sum(axis=axes) / count
    return result


def hard_swish(x: Array) -> Array:
    """Hard-swish, x relu6(x + 3) / 6, of each element."""
    result: Array = x * (x + 3.0).clip(0.0, 6.0) / 6.0
    return result


def _relu(x: Array) -> Array:
    return np.maximum(x, 0.0)


def _relu6(x: Array) -> Array:
    return x.clip(0.0, 6.0)


def _weights(kind: str, weights: Array) -> Array:
    """The weights in fixed point, as rows of one sum (terms, outputs)."""
    axes = WEIGHT_AXES[kind]
    terms = int(np.prod([weights.shape[axis] for axis in axes]))
    rounded = fixed_point(weights, terms, axes)
    if kind == "DEPTHWISE_CONV_2D":
        return rounded
    return np.ascontiguousarray(rounded.reshape(-1, terms).T).reshape(
        *weights.shape[1:], weights.shape[0]
    )


def _conv_2d(graph: Graph, op: Op, inputs: list[Array]) -> Array:
    image, weights, *bias = inputs
    *kernel, outputs = weights.shape
    terms = weights.size // outputs
    window = _window(graph, op, kernel[0], kernel[1])
    taps = _taps(fixed_point(image, terms), window, dilation_of(op))
    columns = np.concatenate(list(taps), axis=-1)
    return _with_bias(columns.reshape(-1, terms) @ weights.reshape(terms, outputs), bias)


def _depthwise_conv_2d(graph: Graph, op: Op, inputs: list[Array]) -> Array:
    image, weights, *bias = inputs
    _, kernel_h, kernel_w, channels = weights.shape
    image = fixed_point(image, kernel_h * kernel_w)
    if channels > image.shape[-1]:
        image = np.repeat(image, channels // image.shape[-1], axis=-1)
    window = _window(graph, op, kernel_h, kernel_w)
    sums = np.zeros((1, *window.output[:2], channels))
    taps = _taps(image, window, dilation_of(op))
    for tap, weight in zip(taps, weights.reshape(-1, channels), strict=True):
        sums += tap * weight
    return _with_bias(sums, bias)


def _fully_connected(_graph: Graph, _op: Op, inputs: list[Array]) -> Array:
    source, weights, *bias = inputs
    terms = len(weights)
    return _with_bias(fixed_point(source, terms).reshape(-1, terms) @ weights, bias)


def _mean(_graph: Graph, _op: Op, inputs: list[Array]) -> Array:
    image, axes = inputs
    return mean(image, tuple(axes.astype(int).reshape(-1)))


def _concatenation(_graph: Graph, op: Op, inputs: list[Array]) -> Array:
    return np.concatenate(inputs, axis=int(op.options["axis"]))


def _pad(_graph: Graph, _op: Op, inputs: list[Array]) -> Array:
    image, around = inputs
    return np.pad(image, around.astype(int).reshape(-1, 2))


def _average_pool_2d(graph: Graph, op: Op, inputs: list[Array]) -> Array:
    (image,) = inputs
    window = _window(graph, op, int(op.options["filter_h"]), int(op.options["filter_w"]))
    image = fixed_point(image, window.kernel_h * window.kernel_w)
    ones = np.ones_like(image)
    return _total(_taps(image, window)) / _total(_taps(ones, window))


def _total(terms: Iterator[Array]) -> Array:
    total = next(terms).copy()
    for term in terms:
        total += term
    return total


WEIGHT_AXES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"CONV_2D": (1, 2, 3), "DEPTHWISE_CONV_2D": (0, 1, 2), "FULLY_CONNECTED": (1,)}
)
"""The axes of weights that one output sums over."""

ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"NONE": lambda x: x, "RELU": _relu, "RELU6": _relu6}
)

KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {
        **OTHERS,
        "ADD": lambda _graph, _op, inputs: inputs[0] + inputs[1],
        "AVERAGE_POOL_2D": _average_pool_2d,
        "CONCATENATION": _concatenation,
        "CONV_2D": _conv_2d,
        "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
        "FULLY_CONNECTED": _fully_connected,
        "HARD_SWISH": lambda _graph, _op, inputs: hard_swish(inputs[0]),
        "MEAN": _mean,
        "MUL": lambda _graph, _op, inputs: inputs[0] * inputs[1],
        "PAD": _pad,
        "RELU": lambda _graph, _op, inputs: _relu(inputs[0]),
        "RELU6": lambda _graph, _op, inputs: _relu6(inputs[0]),
        "RESHAPE": lambda _graph, _op, inputs: inputs[0],
    }
)


def _window(graph: Graph, op: Op, kernel_h: int, kernel_w: int) -> Window:
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    return window_of(op, source, output, reach(op, (kernel_h, kernel_w)))


def _taps(image: Array, window: Window, apart: tuple[int, int] = (1, 1)) -> Iterator[Array]:
    """What each place of the kernel sees of an image (1, H, W, C) with zeros around: (1, h, w, C).

    The places lie ``apart`` rows and columns from each other.
    """
    span_y = (window.output[0] - 1) * window.stride_h + 1
    span_x = (window.output[1] - 1) * window.stride_w + 1
    below = span_y + window.kernel_h - 1 - window.pad_top - window.input[0]
    right = span_x + window.kernel_w - 1 - window.pad_left - window.input[1]
    around = ((window.pad_top, max(below, 0)), (window.pad_left, max(right, 0)))
    padded = np.pad(image, ((0, 0), *around, (0, 0)))
    for y in range(0, window.kernel_h, apart[0]):
        for x in range(0, window.kernel_w, apart[1]):
            yield padded[:, y : y + span_y : window.stride_h, x : x + span_x : window.stride_w]


def _with_bias(sums: Array, bias: list[Array]) -> Array:
    return sums + bias[0] if bias else sums
