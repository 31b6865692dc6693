"""SUB, with broadcasting and a fused activation."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.arithmetic.fixed_point import Codes, multiply, to_int8
from codegen.ir import Graph, Op
from codegen.ops.add import Add, to_common_scale


class Sub(Add):
    """As ADD, with the second operand's sign turned; their parameters are the same."""

    kernel = "sub"

    def int8_kernel(self, graph: Graph, op: Op, values: Mapping[str, int]) -> str:
        """There is one for all cases."""
        return self.kernel

    def evaluate(self, graph: Graph, op: Op, a: Codes, b: Codes) -> Codes:
        """The difference of both, scaled to a common scale."""
        p = self.parameters(graph, op)
        first, second = to_common_scale(p, a, b)
        difference = multiply(first - second, p["multiplier"], p["exponent"]) + p["zero_point"]
        return to_int8(difference.clip(p["low"], p["high"])).astype("int64")


OPERATOR = Sub()
