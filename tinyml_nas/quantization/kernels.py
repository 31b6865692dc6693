"""Exact kernels of operators that no network of the search has, and networks of users do.

They move, compare and add elements, or are functions of one element; of the latter, exponentials differ between
libraries in the last bits, which ``settled`` takes off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from codegen.ir import Graph, Op
from codegen.ops.region import region_of
from codegen.ops.window import window_of

Array: TypeAlias = npt.NDArray[np.float64]
Kernel: TypeAlias = Callable[[Graph, Op, list[Array]], Array]

SETTLED_BITS = 40
SQRT_2 = 2.0**0.5


def settled(values: Array) -> Array:
    """Rounded to multiples of 2^-40: the same on every machine."""
    unit = 2.0**-SETTLED_BITS
    rounded: Array = np.rint(values / unit) * unit
    return rounded


def _max_pool_2d(graph: Graph, op: Op, inputs: list[Array]) -> Array:
    (image,) = inputs
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    kernel = int(op.options["filter_h"]), int(op.options["filter_w"])
    window = window_of(op, source, output, kernel)
    rows, columns = window.output[:2]
    tall, wide = (
        (rows - 1) * window.stride_h + kernel[0],
        (columns - 1) * window.stride_w + kernel[1],
    )
    around = (
        (window.pad_top, max(tall - window.pad_top - image.shape[1], 0)),
        (window.pad_left, max(wide - window.pad_left - image.shape[2], 0)),
    )
    padded = np.pad(image, ((0, 0), *around, (0, 0)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
    windows = windows[:, :: window.stride_h, :: window.stride_w][:, :rows, :columns]
    highest: Array = windows.max(axis=(-2, -1))
    return highest


def _concatenation(_graph: Graph, op: Op, inputs: list[Array]) -> Array:
    return np.concatenate(inputs, axis=int(op.options["axis"]))


def _pad(_graph: Graph, _op: Op, inputs: list[Array]) -> Array:
    amounts = inputs[1].astype(int).tolist()
    value = float(inputs[2].reshape(-1)[0]) if len(inputs) > 2 else 0.0
    return np.pad(inputs[0], amounts, constant_values=value)


def _part(graph: Graph, op: Op, inputs: list[Array]) -> Array:
    region = region_of(graph, op)
    places = [
        start + step * np.arange(count)
        for start, count, step in zip(region.starts, region.counts, region.steps, strict=True)
    ]
    chosen: Array = inputs[0][np.ix_(*places)]
    return chosen


def _prelu(_graph: Graph, _op: Op, inputs: list[Array]) -> Array:
    x, slopes = inputs
    return np.where(x < 0, x * slopes, x)


def _leaky_relu(_graph: Graph, op: Op, inputs: list[Array]) -> Array:
    return np.where(inputs[0] < 0, inputs[0] * float(op.options["alpha"]), inputs[0])


def _logistic(_graph: Graph, _op: Op, inputs: list[Array]) -> Array:
    return settled(1 / (1 + np.exp(-inputs[0])))


def _gelu(_graph: Graph, _op: Op, inputs: list[Array]) -> Array:
    return settled(inputs[0] * 0.5 * (1 + erf(inputs[0] / SQRT_2)))


def _softmax(_graph: Graph, _op: Op, inputs: list[Array]) -> Array:
    powers = np.exp(inputs[0] - inputs[0].max(axis=-1, keepdims=True))
    return settled(powers / powers.sum(axis=-1, keepdims=True))


def _reduce_max(_graph: Graph, _op: Op, inputs: list[Array]) -> Array:
    axes = tuple(inputs[1].astype(int).reshape(-1).tolist())
    highest: Array = inputs[0].max(axis=axes)
    return highest


OTHERS: Mapping[str, Kernel] = MappingProxyType(
    {
        "CONCATENATION": _concatenation,
        "ELU": lambda _graph, _op, inputs: settled(
            np.where(inputs[0] < 0, np.expm1(np.minimum(inputs[0], 0)), inputs[0])
        ),
        "GELU": _gelu,
        "LEAKY_RELU": _leaky_relu,
        "LOGISTIC": _logistic,
        "MAXIMUM": lambda _graph, _op, inputs: np.maximum(inputs[0], inputs[1]),
        "MAX_POOL_2D": _max_pool_2d,
        "MINIMUM": lambda _graph, _op, inputs: np.minimum(inputs[0], inputs[1]),
        "PAD": _pad,
        "PADV2": _pad,
        "PRELU": _prelu,
        "REDUCE_MAX": _reduce_max,
        "SLICE": _part,
        "SOFTMAX": _softmax,
        "STRIDED_SLICE": _part,
        "SUB": lambda _graph, _op, inputs: inputs[0] - inputs[1],
        "TANH": lambda _graph, _op, inputs: settled(np.tanh(inputs[0])),
        "TRANSPOSE": lambda _graph, _op, inputs: inputs[0].transpose(
            inputs[1].astype(int).tolist()
        ),
    }
)
