"""RESHAPE: the same bytes under another shape; no code is generated."""

from __future__ import annotations

from codegen.ir import Graph, Op
from codegen.ops.base import Operator, output_of, require, require_activations, require_inputs


class Reshape(Operator):
    """The planner gives the output its input's offset."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse a change of size, dtype or scale."""
        require_inputs(op, 1, 2)
        require_activations(graph, op)
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        require(source.elements == output.elements, output, f"does not hold {source.shape}")
        require(not source.constant, source, "must not be constant")
        require(source.quantization == output.quantization, output, "must keep its input's scale")

    def lower(self, graph: Graph, op: Op) -> None:
        """Nothing to call."""

    def places(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Its one input is all of it."""
        return (0,)


OPERATOR = Reshape()
