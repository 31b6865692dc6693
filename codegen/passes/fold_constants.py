"""Operators whose results are known here: arithmetic with shapes, and constants under another shape or type.

Converters of open batches write a Flatten as SHAPE, STRIDED_SLICE and PACK before a RESHAPE, and
half-precision weights as a DEQUANTIZE of constants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from codegen.ir import DType, Graph, ModelError, Op, Tensor
from codegen.ops.region import region_of
from codegen.passes.draft import Draft

Array = npt.NDArray[np.integer[Any]]
INTEGERS = ("int32", "int64")
MOST_ELEMENTS = 1 << 12  # of a shape: there are far fewer


def fold_constants(draft: Draft) -> None:
    """Replace every such operator by the constant that it computes."""
    known = {i for op in draft.ops for i in op.outputs if draft.tensors[i].constant}
    for op in list(draft.ops):
        if len(op.outputs) != 1 or op.outputs[0] in known or op.outputs[0] in draft.outputs:
            continue
        output = draft.tensors[op.outputs[0]]
        data = _result(draft.graph, op, output)
        if data is None:
            continue
        draft.tensors[op.outputs[0]] = replace(
            output, shape=data.shape, constant=True, data=data, open_axes=()
        )
        draft.remove(op)


def _result(graph: Graph, op: Op, output: Tensor) -> npt.NDArray[np.generic] | None:
    """What the operator computes; None where it is not known, or not understood."""
    if op.kind == "SHAPE" and len(op.inputs) == 1 and op.inputs[0] >= 0:
        return _of_type(np.array(graph.tensors[op.inputs[0]].shape, np.int64), output.dtype)
    sources = [graph.tensors[i] for i in op.inputs if i >= 0]
    values = [tensor.data for tensor in sources if tensor.data is not None]
    if not sources or len(values) != len(op.inputs) or not all(t.constant for t in sources):
        return None
    if op.kind == "DEQUANTIZE" and sources[0].dtype == "float16" and len(sources) == 1:
        with np.errstate(over="ignore", invalid="ignore"):
            return values[0].astype(np.float32)
    if op.kind in MOVES and prod(output.shape) == values[0].size:
        return values[0].reshape(output.shape)
    small = sum(value.size for value in values) <= MOST_ELEMENTS
    if op.kind not in FUNCTIONS or not small or any(t.dtype not in INTEGERS for t in sources):
        return None
    try:
        result = FUNCTIONS[op.kind](graph, op, [value.astype(np.int64) for value in values])
    except (ValueError, IndexError, KeyError, OverflowError, ModelError):
        return None  # damaged, or beyond what shapes need: it stays, and is refused
    return _of_type(result, output.dtype) if result.size <= MOST_ELEMENTS else None


def _of_type(values: Array, dtype: DType) -> Array | None:
    return values.astype(dtype) if dtype in INTEGERS else None


def _slice(graph: Graph, op: Op, values: Sequence[Array]) -> Array:
    region = region_of(graph, op)
    cut = tuple(
        np.arange(count) * step + start
        for start, count, step in zip(region.starts, region.counts, region.steps, strict=True)
    )
    return values[0][np.ix_(*cut)].reshape(region.shape)


def _binary(function: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    def compute(graph: Graph, op: Op, values: Sequence[Array]) -> Array:
        first, second = values
        if prod(np.broadcast_shapes(first.shape, second.shape)) > MOST_ELEMENTS:
            raise ValueError("no shape is as long")
        with np.errstate(all="ignore"):
            return np.asarray(function(first, second))

    return compute


def _pack(graph: Graph, op: Op, values: Sequence[Array]) -> Array:
    return np.stack(values, int(op.options["axis"]))


def _concatenate(graph: Graph, op: Op, values: Sequence[Array]) -> Array:
    return np.concatenate(values, int(op.options["axis"]))


def _gather(graph: Graph, op: Op, values: Sequence[Array]) -> Array:
    source, indices = values
    if int(op.options["batch_dims"]) or indices.size > MOST_ELEMENTS // max(source.size, 1):
        raise ValueError("not of a shape")
    return np.asarray(np.take(source, indices.astype(np.int64), int(op.options["axis"])))


def _product(graph: Graph, op: Op, values: Sequence[Array]) -> Array:
    source, axes = values
    keep = bool(op.options["keep_dims"])
    with np.errstate(all="ignore"):
        return np.asarray(np.prod(source, tuple(axes.reshape(-1).tolist()), keepdims=keep))


def _cast(graph: Graph, op: Op, values: Sequence[Array]) -> Array:
    (value,) = values
    return value


FUNCTIONS: Mapping[str, Callable[[Graph, Op, Sequence[Array]], Array]] = MappingProxyType(
    {
        "ADD": _binary(np.add),
        "CAST": _cast,
        "CONCATENATION": _concatenate,
        "GATHER": _gather,
        "MAXIMUM": _binary(np.maximum),
        "MINIMUM": _binary(np.minimum),
        "MUL": _binary(np.multiply),
        "PACK": _pack,
        "REDUCE_PROD": _product,
        "SLICE": _slice,
        "STRIDED_SLICE": _slice,
        "SUB": _binary(np.subtract),
    }
)
MOVES = ("EXPAND_DIMS", "RESHAPE", "SQUEEZE")
