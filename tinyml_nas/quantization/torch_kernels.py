"""What operators compute of a batch, in torch and with gradients.

A tensor (1, H, W, C) of the graph is (N, C, H, W) here, and a vector (1, F) or (F,) is (N, F, 1, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from codegen.ir import Graph, Op
from codegen.ops.dilated import dilation_of, reach
from codegen.ops.region import region_of
from codegen.ops.window import window_of

Kernel: TypeAlias = Callable[[Graph, Op, list[Tensor]], Tensor]

PLACES: Mapping[int, tuple[int, ...]] = MappingProxyType({1: (1,), 2: (0, 1), 4: (0, 2, 3, 1)})
"""Where each axis of a tensor of the graph is here, by the number of its axes."""


def laid_out(values: npt.NDArray[np.float64]) -> Tensor:
    """A constant of at most four axes, as (1 or N, C, H, W), to go with any tensor that it goes with in the graph."""
    whole = values.reshape((1,) * (4 - values.ndim) + values.shape)
    return torch.from_numpy(whole.transpose(0, 3, 1, 2).copy()).float()


def reshaped(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The elements of ``x``, in the graph's order, as its tensor of ``shape`` (1, H, W, C), (1, F) or (F,)."""
    sides = (1, 1, 1, *shape)[-3:]
    if x.shape[1:] == (sides[2], *sides[:2]):
        return x
    return x.permute(0, 2, 3, 1).reshape(-1, *sides).permute(0, 3, 1, 2)


def convolved(graph: Graph, op: Op, x: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    """A convolution with ``weights`` (O, I, kh, kw); a depthwise one has I = 1 and its channels in groups."""
    padded = _around(graph, op, x, reach(op, (weights.shape[2], weights.shape[3])), 0.0)
    groups = 1 if op.kind == "CONV_2D" else x.shape[1]
    return F.conv2d(padded, weights, bias, _strides(op), 0, dilation_of(op), groups)


def connected(graph: Graph, op: Op, x: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    """A dense layer with ``weights`` (O, I), of each I elements in the graph's order."""
    rows = x.permute(0, 2, 3, 1).reshape(len(x), 1, -1, weights.shape[1])
    made = F.linear(rows, weights, bias).permute(0, 3, 1, 2)
    return reshaped(made, graph.tensors[op.outputs[0]].shape)


def _around(graph: Graph, op: Op, x: Tensor, kernel: tuple[int, int], value: float) -> Tensor:
    """``x`` with the padding of the operator's window; what no window reaches is cut off."""
    window = window_of(op, graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]], kernel)
    tall = (window.output[0] - 1) * window.stride_h + kernel[0]
    wide = (window.output[1] - 1) * window.stride_w + kernel[1]
    below, right = tall - window.pad_top - x.shape[2], wide - window.pad_left - x.shape[3]
    return F.pad(x, (window.pad_left, right, window.pad_top, below), value=value)


def _filter(op: Op) -> tuple[int, int]:
    return int(op.options["filter_h"]), int(op.options["filter_w"])


def _strides(op: Op) -> tuple[int, int]:
    return int(op.options["stride_h"]), int(op.options["stride_w"])


def _max_pool_2d(graph: Graph, op: Op, inputs: list[Tensor]) -> Tensor:
    padded = _around(graph, op, inputs[0], _filter(op), -torch.inf)
    return F.max_pool2d(padded, _filter(op), _strides(op))


def _average_pool_2d(graph: Graph, op: Op, inputs: list[Tensor]) -> Tensor:
    """Of the pixels that there are."""
    ones = torch.ones_like(inputs[0][:1, :1])
    sums, counts = (
        F.avg_pool2d(_around(graph, op, x, _filter(op), 0.0), _filter(op), _strides(op))
        for x in (inputs[0], ones)
    )
    return sums / counts


def _dims(graph: Graph, op: Op, axes: Sequence[int]) -> list[int]:
    places = PLACES[len(graph.tensors[op.inputs[0]].shape)]
    return [places[axis] for axis in axes]  # a negative one counts from the end in both


def _axes(graph: Graph, op: Op) -> list[int]:
    data = graph.tensors[op.inputs[1]].data
    assert data is not None
    return _dims(graph, op, data.astype(int).reshape(-1).tolist())


def _mean(graph: Graph, op: Op, inputs: list[Tensor]) -> Tensor:
    return inputs[0].mean(_axes(graph, op), keepdim=True)


def _reduce_max(graph: Graph, op: Op, inputs: list[Tensor]) -> Tensor:
    return inputs[0].amax(_axes(graph, op), keepdim=True)


def _concatenation(graph: Graph, op: Op, inputs: list[Tensor]) -> Tensor:
    (dim,) = _dims(graph, op, [int(op.options["axis"])])
    return torch.cat(inputs, dim)


def _pad(graph: Graph, op: Op, inputs: list[Tensor]) -> Tensor:
    data = graph.tensors[op.inputs[1]].data
    assert data is not None
    amounts = [[0, 0]] * 4
    for axis, pair in enumerate(data.astype(int).reshape(-1, 2).tolist()):
        amounts[PLACES[len(data)][axis]] = pair
    filling = graph.tensors[op.inputs[2]].data if len(op.inputs) > 2 else None
    value = 0.0 if filling is None else float(filling.reshape(-1)[0])
    return F.pad(inputs[0], [side for pair in reversed(amounts) for side in pair], value=value)


def _part(graph: Graph, op: Op, inputs: list[Tensor]) -> Tensor:
    region, x = region_of(graph, op), inputs[0]
    places = PLACES[len(region.starts)]
    for axis in range(1, len(region.starts)):
        count, step = region.counts[axis], region.steps[axis]
        chosen = region.starts[axis] + step * torch.arange(count, device=x.device)
        x = x.index_select(places[axis], chosen)
    return x


def _prelu(_graph: Graph, _op: Op, inputs: list[Tensor]) -> Tensor:
    x, slopes = inputs
    return torch.where(x < 0, x * slopes, x)


def _leaky_relu(_graph: Graph, op: Op, inputs: list[Tensor]) -> Tensor:
    return F.leaky_relu(inputs[0], float(op.options["alpha"]))


def _of_one(function: Callable[[Tensor], Tensor]) -> Kernel:
    return lambda _graph, _op, inputs: function(inputs[0])


def _of_two(function: Callable[[Tensor, Tensor], Tensor]) -> Kernel:
    return lambda _graph, _op, inputs: function(inputs[0], inputs[1])


ELEMENTWISE: Mapping[str, Kernel] = MappingProxyType(
    {
        "ADD": _of_two(torch.add),
        "MAXIMUM": _of_two(torch.maximum),
        "MINIMUM": _of_two(torch.minimum),
        "MUL": _of_two(torch.mul),
        "PRELU": _prelu,
        "SUB": _of_two(torch.sub),
    }
)
"""Of two tensors, one of which may be a constant."""

KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {
        **ELEMENTWISE,
        "AVERAGE_POOL_2D": _average_pool_2d,
        "CONCATENATION": _concatenation,
        "ELU": _of_one(F.elu),
        "GELU": _of_one(F.gelu),
        "HARD_SWISH": _of_one(F.hardswish),
        "LEAKY_RELU": _leaky_relu,
        "LOGISTIC": _of_one(torch.sigmoid),
        "MAX_POOL_2D": _max_pool_2d,
        "MEAN": _mean,
        "PAD": _pad,
        "PADV2": _pad,
        "REDUCE_MAX": _reduce_max,
        "RELU": _of_one(F.relu),
        "RELU6": _of_one(F.relu6),
        "RESHAPE": _of_one(lambda x: x),
        "SLICE": _part,
        "STRIDED_SLICE": _part,
        "TANH": _of_one(torch.tanh),
    }
)
"""Of operators without weights. What they make still has to be given the shape of the graph's tensor."""
