"""CONCATENATION along any axis: rows of each input, copied one behind the other.

Along the outermost axis the output is its inputs, one behind the other. Where all of them can be
made there, ``codegen.plan.joining`` makes the operator a ``JOIN``, for which nothing is copied.
"""

from __future__ import annotations

from itertools import accumulate
from math import prod

from codegen.ir import DTYPE_BYTES, Graph, ModelError, Op
from codegen.ops.base import (
    Call,
    Operator,
    Value,
    activation_of,
    output_of,
    require,
    require_activations,
    require_inputs,
)
from codegen.ops.sweep import Sweep

MOST_INPUTS = 10  # as in TensorFlow Lite Micro


class Concatenation(Operator):
    """The codes are copied as they are, so all inputs must have the output's scale."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse rescaling, an activation, and shapes that do not fit together."""
        require_inputs(op, 1, MOST_INPUTS)
        if min(op.inputs) < 0:
            raise ModelError("needs all of its inputs; one is absent")
        require_activations(graph, op, tuple(range(len(op.inputs))))
        if activation_of(op) != "NONE":
            raise ModelError(f"fused activation must be NONE; got {activation_of(op)}")
        output, axis = output_of(graph, op), _axis(graph, op)
        joined = 0
        for index in op.inputs:
            tensor = graph.tensors[index]
            require(tensor.quantization == output.quantization, tensor, "must have output's scale")
            require(len(tensor.shape) == len(output.shape), tensor, f"does not fit {output.shape}")
            shape = (*tensor.shape[:axis], output.shape[axis], *tensor.shape[axis + 1 :])
            require(shape == output.shape, tensor, f"does not fit {output.shape}")
            joined += tensor.shape[axis]
        require(joined == output.shape[axis], output, f"axis {axis} must be {joined}")

    def sweep(self, graph: Graph, op: Op, position: int) -> Sweep:
        """A row of the output after a row of each input."""
        rows = _rows(graph, op)
        return Sweep(
            tuple((y, y + 1) for y in range(rows)),
            graph.tensors[op.inputs[position]].size_bytes // rows,
            output_of(graph, op).size_bytes // rows,
        )

    def lower(self, graph: Graph, op: Op) -> Call | None:
        """Call ``concatenation``."""
        output, axis = output_of(graph, op), _axis(graph, op)
        row_bytes = tuple(
            prod(graph.tensors[i].shape[axis:]) * DTYPE_BYTES[output.dtype] for i in op.inputs
        )
        fields: dict[str, Value] = {"rows": _rows(graph, op), "row_bytes": row_bytes}
        params = f"Concatenation<{len(op.inputs)}>"
        return Call("concatenation", "concatenation.hpp", params, fields, op.inputs, op.outputs[0])

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Bytes of constant inputs."""
        return sum(graph.tensors[i].size_bytes for i in set(op.inputs) if graph.tensors[i].constant)


class Join(Concatenation):
    """A CONCATENATION whose inputs are made where they lie in the output; no code is generated."""

    def check(self, graph: Graph, op: Op) -> None:
        """As CONCATENATION, and refuse rows of several inputs, and constants."""
        super().check(graph, op)
        if _rows(graph, op) != 1 or any(graph.tensors[i].constant for i in op.inputs):
            raise ModelError("must join activations along the outermost axis")

    def lower(self, graph: Graph, op: Op) -> None:
        """Nothing to call."""

    def places(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """One behind the other."""
        sizes = [graph.tensors[index].size_bytes for index in op.inputs]
        return tuple(accumulate(sizes[:-1], initial=0))


def is_outermost(graph: Graph, op: Op) -> bool:
    """Whether the inputs of a CONCATENATION are its output, one behind the other."""
    return _rows(graph, op) == 1


def _rows(graph: Graph, op: Op) -> int:
    return prod(output_of(graph, op).shape[: _axis(graph, op)])


def _axis(graph: Graph, op: Op) -> int:
    axis, rank = int(op.options["axis"]), len(output_of(graph, op).shape)
    if not -rank <= axis < rank:
        raise ModelError(f"axis must be {-rank} to {rank - 1}; got {axis}")
    return axis % rank


OPERATOR, JOIN = Concatenation(), Join()
