"""PRELU: x where that is positive, where it is not times a constant, of each channel or element."""

from __future__ import annotations

from codegen.arithmetic.fixed_point import quantize_multiplier, scale_of, zero_point_of
from codegen.ir import Graph, Op
from codegen.ops.base import Call, Operator, Value, output_of, require
from codegen.ops.broadcast import broadcast_value, check_broadcast, full_operands


class Prelu(Operator):
    """He et al., 2015. Either side has a factor of its own to the output's scale."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse slopes that do not broadcast, or are no constants."""
        check_broadcast(graph, op)
        source, slopes = (graph.tensors[i] for i in op.inputs)
        require(slopes.constant, slopes, "slopes must be constant")
        output = output_of(graph, op)
        require(source.shape == output.shape, output, f"must be {source.shape}")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``prelu``."""
        fields: dict[str, Value] = {"broadcast": broadcast_value(graph, op)}
        source, slopes, output = (graph.tensors[i] for i in (*op.inputs, *op.outputs))
        params = "PreluFloat"
        if output.dtype == "int8":
            params = "PreluInt8"
            ratio = float(scale_of(source)) / float(scale_of(output))
            scaled = float(scale_of(source)) * float(scale_of(slopes)) / float(scale_of(output))
            for name, factor in (("above", ratio), ("below", scaled)):
                multiplier, exponent = quantize_multiplier(factor)
                fields |= {f"multiplier_{name}": multiplier, f"exponent_{name}": exponent}
            fields |= {
                "zero_point_a": zero_point_of(source),
                "zero_point_b": zero_point_of(slopes),
                "zero_point": zero_point_of(output),
            }
        return Call("prelu", "prelu.hpp", params, fields, op.inputs, op.outputs[0])

    def in_place(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Its operand."""
        return tuple(position for position in full_operands(graph, op) if position == 0)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Bytes of the slopes."""
        return graph.tensors[op.inputs[1]].size_bytes


OPERATOR = Prelu()
