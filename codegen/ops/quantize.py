"""QUANTIZE from int8 to int8: another scale and zero point."""

from __future__ import annotations

from codegen.fixed_point import (
    Codes,
    multiply,
    quantize_multiplier,
    scale_of,
    to_int8,
    zero_point_of,
)
from codegen.ir import Graph, Op
from codegen.ops.base import output_of, require
from codegen.ops.unary import Unary


class Quantize(Unary):
    """Rescaling, code by code."""

    kernel = "quantize"

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse other types than int8."""
        super().check(graph, op)
        require(output_of(graph, op).dtype == "int8", output_of(graph, op), "must be int8")

    def evaluate(self, graph: Graph, op: Op, codes: Codes) -> Codes:
        """One multiplication by the ratio of scales."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        ratio = float(scale_of(source)) / float(scale_of(output))
        scaled = multiply(codes - zero_point_of(source), *quantize_multiplier(ratio))
        return to_int8(scaled + zero_point_of(output)).astype("int64")


OPERATOR = Quantize()
