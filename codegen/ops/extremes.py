"""MAXIMUM and MINIMUM of two operands of one scale, with broadcasting."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.ir import Graph, Op
from codegen.ops.base import Call, Operator, output_of, require
from codegen.ops.broadcast import broadcast_value, check_broadcast, full_operands


@dataclass(frozen=True)
class Extreme(Operator):
    """Codes of one scale compare as their reals do; ``kernel`` is the C++ function."""

    kernel: str

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse operands that do not broadcast, and rescaling."""
        check_broadcast(graph, op)
        output = output_of(graph, op)
        for index in op.inputs:
            tensor = graph.tensors[index]
            require(tensor.quantization == output.quantization, tensor, "must have output's scale")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call the kernel."""
        fields = {"broadcast": broadcast_value(graph, op)}
        return Call(self.kernel, "extremes.hpp", "Extreme", fields, op.inputs, op.outputs[0])

    def in_place(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Operands of the output's shape."""
        return full_operands(graph, op)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Bytes of constant operands."""
        return sum(graph.tensors[i].size_bytes for i in op.inputs if graph.tensors[i].constant)


MAXIMUM = Extreme("maximum")
MINIMUM = Extreme("minimum")
