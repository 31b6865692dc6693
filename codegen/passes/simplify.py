"""Rewrites of a graph that keep every output byte and save flash, memory or work.

1. An int8 operator of one operand (HARD_SWISH, RELU, ADD or MUL with a constant scalar ...)
   becomes a LOOKUP: a table of its results for all 256 codes.
2. DEQUANTIZE before QUANTIZE becomes a LOOKUP too. A LOOKUP that changes no code is a RESHAPE,
   which costs nothing, and a RESHAPE of a RESHAPE is one.
3. A LOOKUP of a LOOKUP becomes one, and a LOOKUP of a convolution becomes the convolution's
   fourth input: the kernel looks each code up as it stores it.
4. PAD with the zero point before a VALID convolution becomes the convolution's own padding.
5. Outer rows and columns of a kernel that are zero in all channels are dropped. The converter
   writes them to express symmetric padding at stride 2.

Graphs of shapes only pass through: without data nothing can be folded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from codegen.arithmetic.fixed_point import Codes, all_codes, to_int8, zero_point_of
from codegen.ir import Graph, Op, Tensor
from codegen.ops import OPERATORS, add, mul, pad, quantize, sub
from codegen.ops.base import output_of
from codegen.ops.convolution import BIAS, TABLE
from codegen.ops.unary import Unary
from codegen.ops.window import window_of

Binary = Callable[[Graph, Op, Codes, Codes], Codes]
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D")


def simplify(graph: Graph) -> Graph:
    """The graph with every rewrite applied; tensors keep their indices, new ones are appended."""
    draft = _Draft(list(graph.tensors), list(graph.ops), graph.outputs)
    for rewrite in (
        _tabulate,
        _skip_reals,
        _compose,
        _drop_identities,
        _fuse_tables,
        _absorb_padding,
        _trim_kernels,
        _merge_reshapes,
    ):
        rewrite(draft)
    return Graph(tuple(draft.tensors), tuple(draft.ops), graph.inputs, graph.outputs)


@dataclass
class _Draft:
    """A graph under change."""

    tensors: list[Tensor]
    ops: list[Op]
    outputs: tuple[int, ...]

    @property
    def graph(self) -> Graph:
        return Graph(tuple(self.tensors), tuple(self.ops), (), self.outputs)

    def constant(self, name: str, data: npt.NDArray[np.generic], like: Tensor) -> int:
        """Append a constant with ``like``'s dtype and scales; its index."""
        self.tensors.append(replace(like, name=name, shape=data.shape, constant=True, data=data))
        return len(self.tensors) - 1

    def lookup(self, source: int, table: npt.NDArray[np.int8], op: Op) -> Op:
        """The LOOKUP of ``source`` in a new table, in place of ``op``."""
        output = self.tensors[op.outputs[0]]
        index = self.constant(f"{output.name}/table", table, output)
        return Op("LOOKUP", (source, index), op.outputs)

    def only_reader(self, index: int) -> Op | None:
        """The one operator that reads a tensor; None if there are several or it is an output."""
        readers = [op for op in self.ops for i in op.inputs if i == index]
        return readers[0] if len(readers) == 1 and index not in self.outputs else None

    def writer(self, index: int) -> Op | None:
        """The operator that writes a tensor."""
        return next((op for op in self.ops if index in op.outputs), None)

    def swap(self, old: Op, new: Op) -> None:
        self.ops[self._position(old)] = new

    def remove(self, op: Op) -> None:
        del self.ops[self._position(op)]

    def _position(self, op: Op) -> int:
        return next(i for i, other in enumerate(self.ops) if other is op)


def _tabulate(draft: _Draft) -> None:
    graph = draft.graph
    for op in graph.ops:
        function = _function_of_one_code(graph, op)
        if function is None or output_of(graph, op).dtype != "int8":
            continue
        source, evaluate = function
        draft.swap(op, draft.lookup(source, to_int8(evaluate(all_codes())), op))


def _function_of_one_code(graph: Graph, op: Op) -> tuple[int, Callable[[Codes], Codes]] | None:
    """The operand and the function of its codes, for an int8 operator that has but one operand."""
    operator = OPERATORS[op.kind]
    if isinstance(operator, Unary) and operator.tabulates(graph, op):
        return op.inputs[0], partial(operator.evaluate, graph, op)
    evaluate = _BINARY.get(op.kind)
    if evaluate is None:
        return None
    for position in (0, 1):
        scalar = graph.tensors[op.inputs[position]]
        other = op.inputs[1 - position]
        same_shape = graph.tensors[other].shape == output_of(graph, op).shape
        if scalar.data is None or scalar.elements != 1 or not same_shape:
            continue
        fixed = scalar.data.reshape(-1).astype(np.int64)
        if position == 0:
            return other, partial(evaluate, graph, op, fixed)
        return other, partial(_swapped, evaluate, graph, op, fixed)
    return None


def _swapped(evaluate: Binary, graph: Graph, op: Op, second: Codes, first: Codes) -> Codes:
    return evaluate(graph, op, first, second)


_BINARY: Mapping[str, Binary] = MappingProxyType(
    {
        "ADD": add.OPERATOR.evaluate,
        "MUL": mul.OPERATOR.evaluate,
        "SUB": sub.OPERATOR.evaluate,
    }
)


def _skip_reals(draft: _Draft) -> None:
    for op in [op for op in draft.ops if op.kind == "QUANTIZE"]:
        first = draft.writer(op.inputs[0])
        if first is None or first.kind != "DEQUANTIZE" or draft.only_reader(op.inputs[0]) is not op:
            continue
        source, output = draft.tensors[first.inputs[0]], draft.tensors[op.outputs[0]]
        table = quantize.to_codes(output, quantize.to_reals(source, all_codes()))
        draft.swap(op, draft.lookup(first.inputs[0], table, op))
        draft.remove(first)


def _drop_identities(draft: _Draft) -> None:
    for op in [op for op in draft.ops if op.kind == "LOOKUP"]:
        source, table, output = (draft.tensors[i] for i in (*op.inputs, *op.outputs))
        same = source.quantization == output.quantization and not source.constant
        if same and table.data is not None and (table.data.reshape(-1) == all_codes()).all():
            draft.swap(op, Op("RESHAPE", op.inputs[:1], op.outputs))


def _merge_reshapes(draft: _Draft) -> None:
    for op in [op for op in draft.ops if op.kind == "RESHAPE"]:
        first = draft.writer(op.inputs[0])
        if first is None or first.kind != "RESHAPE" or draft.only_reader(op.inputs[0]) is not op:
            continue
        draft.swap(op, replace(op, inputs=(first.inputs[0], *op.inputs[1:])))
        draft.remove(first)


def _compose(draft: _Draft) -> None:
    for op in [op for op in draft.ops if op.kind == "LOOKUP"]:
        first = draft.writer(op.inputs[0])
        if first is None or first.kind != "LOOKUP" or draft.only_reader(op.inputs[0]) is not op:
            continue
        inner, outer = (draft.tensors[lookup.inputs[1]].data for lookup in (first, op))
        if inner is None or outer is None:
            continue
        composed = outer[inner.astype(np.int64) + 128]
        like = draft.tensors[op.inputs[1]]
        index = draft.constant(f"{like.name}/composed", composed, like)
        draft.swap(op, replace(op, inputs=(first.inputs[0], index)))
        draft.remove(first)


def _fuse_tables(draft: _Draft) -> None:
    for op in [op for op in draft.ops if op.kind == "LOOKUP"]:
        writer = draft.writer(op.inputs[0])
        if writer is None or writer.kind not in CONVOLUTIONS or len(writer.inputs) > TABLE:
            continue
        if draft.only_reader(op.inputs[0]) is not op:
            continue
        bias = writer.inputs[BIAS] if len(writer.inputs) > BIAS else -1
        options = MappingProxyType({**writer.options, "scaled_to": op.inputs[0]})
        inputs = (*writer.inputs[:BIAS], bias, op.inputs[1])
        draft.swap(writer, replace(writer, inputs=inputs, outputs=op.outputs, options=options))
        draft.remove(op)


def _absorb_padding(draft: _Draft) -> None:
    for op in [op for op in draft.ops if op.kind in ("PAD", "PADV2")]:
        graph = draft.graph
        reader = draft.only_reader(op.outputs[0])
        source, padded = draft.tensors[op.inputs[0]], draft.tensors[op.outputs[0]]
        if draft.tensors[op.inputs[1]].data is None or reader is None:
            continue
        if reader.kind not in WINDOWED or reader.options["padding"] != "VALID":
            continue
        if any(pad.padding_of(graph, op)[3]) or source.quantization != padded.quantization:
            continue
        zero = zero_point_of(padded) if padded.dtype == "int8" else 0.0
        if pad.fill_value(graph, op) != zero:
            continue
        (top, _), (left, _) = pad.padding_of(graph, op)[1:3]
        options = _with_padding(reader, top, left)
        inputs = (op.inputs[0], *reader.inputs[1:])
        draft.swap(reader, replace(reader, inputs=inputs, options=options))
        draft.remove(op)


def _trim_kernels(draft: _Draft) -> None:
    for op in [op for op in draft.ops if op.kind in WINDOWED]:
        weights = draft.tensors[op.inputs[1]]
        if weights.data is None:
            continue
        rows, columns = (_used(weights.data, axis) for axis in (1, 2))
        trimmed = np.ascontiguousarray(weights.data[:, rows, columns])
        if trimmed.shape == weights.shape:
            continue
        kernel = weights.shape[1], weights.shape[2]
        window = window_of(op, draft.tensors[op.inputs[0]], draft.tensors[op.outputs[0]], kernel)
        index = draft.constant(f"{weights.name}/trimmed", trimmed, weights)
        options = _with_padding(op, window.pad_top - rows.start, window.pad_left - columns.start)
        inputs = (op.inputs[0], index, *op.inputs[2:])
        draft.swap(op, replace(op, inputs=inputs, options=options))


def _with_padding(op: Op, top: int, left: int) -> Mapping[str, int | float | str | bool]:
    options = dict(op.options)
    options |= {"padding": "EXPLICIT", "pad_top": top, "pad_left": left}
    return MappingProxyType(options)


def _used(weights: npt.NDArray[np.generic], axis: int) -> slice:
    """From the first to the last index along ``axis`` that holds a weight other than zero."""
    others = tuple(i for i in range(weights.ndim) if i != axis)
    (used,) = np.nonzero(np.any(weights != 0, axis=others))
    return slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)
