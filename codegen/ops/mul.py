"""MUL, with broadcasting and a fused activation."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.arithmetic.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    Codes,
    is_fraction,
    multiply,
    quantize_multiplier,
    scale_of,
    to_int8,
)
from codegen.ir import Graph, Op
from codegen.ops.base import output_of
from codegen.ops.binary import Binary
from codegen.ops.broadcast import side_by_side


class Mul(Binary):
    """The product of the centred codes is scaled once."""

    kernel, struct = "mul", "Mul"

    def multipliers(self, graph: Graph, op: Op) -> dict[str, int]:
        """Of the product of both scales over the output's."""
        a, b = (float(scale_of(graph.tensors[i])) for i in op.inputs)
        multiplier, exponent = quantize_multiplier(a * b / float(scale_of(output_of(graph, op))))
        return {"multiplier": multiplier, "exponent": exponent}

    def int8_kernel(self, graph: Graph, op: Op, values: Mapping[str, int]) -> str:
        """The fast one, where what ``MulInt8`` asks for it is proved."""
        proved = (
            side_by_side(graph, op)
            and is_fraction(values["multiplier"], values["exponent"])
            and (values["low"], values["high"]) == (INT8_MIN, INT8_MAX)
        )
        return "mul" if proved else "mul_any"

    def evaluate(self, graph: Graph, op: Op, a: Codes, b: Codes) -> Codes:
        """The product, scaled."""
        p = self.parameters(graph, op)
        product = (a - p["zero_point_a"]) * (b - p["zero_point_b"])
        scaled = multiply(product, p["multiplier"], p["exponent"]) + p["zero_point"]
        return to_int8(scaled.clip(p["low"], p["high"])).astype("int64")


OPERATOR = Mul()
