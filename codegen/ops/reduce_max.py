"""REDUCE_MAX over height and width, or over time: global maximum pooling."""

from __future__ import annotations

from codegen.ir import Graph, Op
from codegen.ops.base import Call, Operator, constant_values, output_of, require
from codegen.ops.reduction import check_reduction


class ReduceMax(Operator):
    """Codes of one scale compare as their reals do."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse rescaling, and axes that do not lie side by side."""
        check_reduction(graph, op)
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        require(source.quantization == output.quantization, output, "must keep its input's scale")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``reduce_max``."""
        constant_values(graph.tensors[op.inputs[1]])
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        fields = {"area": source.elements // output.elements, "channels": output.elements}
        return Call(
            "reduce_max", "reduce_max.hpp", "ReduceMax", fields, op.inputs[:1], op.outputs[0]
        )


OPERATOR = ReduceMax()
