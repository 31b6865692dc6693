"""TRANSPOSE: the same elements with their axes in another order."""

from __future__ import annotations

from codegen.ir import Graph, Op
from codegen.ops.base import (
    Call,
    Operator,
    constant_values,
    output_of,
    require,
    require_activations,
    require_inputs,
)
from codegen.ops.copying import copy_call, merged, strides_of


class Transpose(Operator):
    """Copies codes as they are. What moves only axes of size one never comes here."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse rescaling, and an order of axes that is not known or is none."""
        require_inputs(op, 2, 2)
        require_activations(graph, op)
        source, order, output = (graph.tensors[i] for i in (*op.inputs, *op.outputs))
        require(not source.constant, source, "must not be constant")
        require(source.quantization == output.quantization, output, "must keep its input's scale")
        require(order.constant and order.dtype in ("int32", "int64"), order, "must be constant")
        if order.data is None:
            return
        axes = _axes(graph, op)
        whole = sorted(axes) == list(range(len(source.shape)))
        require(whole, order, f"must name each of {len(source.shape)} axes once; got {axes}")
        shape = tuple(source.shape[axis] for axis in axes)
        require(output.shape == shape, output, f"must be {shape}")
        merged(shape, _steps(source.shape, axes))

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``strided_copy``."""
        axes = _axes(graph, op)
        steps = _steps(graph.tensors[op.inputs[0]].shape, axes)
        return copy_call(graph, op, 0, output_of(graph, op).shape, steps)


def _axes(graph: Graph, op: Op) -> list[int]:
    return [int(axis) for axis in constant_values(graph.tensors[op.inputs[1]]).reshape(-1)]


def _steps(shape: tuple[int, ...], axes: list[int]) -> tuple[int, ...]:
    strides = strides_of(shape)
    return tuple(strides[axis] for axis in axes)


OPERATOR = Transpose()
