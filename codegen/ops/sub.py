"""SUB, with broadcasting and a fused activation."""

from __future__ import annotations

import numpy as np

from codegen.arithmetic.fixed_point import Codes, multiply, scale_of, to_int8
from codegen.ir import Graph, Op
from codegen.ops.add import LEFT_SHIFT, named, to_common_scale
from codegen.ops.base import output_of
from codegen.ops.binary import Binary


class Sub(Binary):
    """As ADD, with the second operand's sign turned."""

    kernel, struct = "sub", "Add"  # their parameters are the same

    def multipliers(self, graph: Graph, op: Op) -> dict[str, int]:
        """In single precision, unlike ADD's: as TensorFlow Lite Micro takes them."""
        a, b = (scale_of(graph.tensors[i]) for i in op.inputs)
        common = np.float32(2) * max(a, b)
        output = np.float32(1 << LEFT_SHIFT) * scale_of(output_of(graph, op))
        return named(float(a / common), float(b / common), float(common / output))

    def evaluate(self, graph: Graph, op: Op, a: Codes, b: Codes) -> Codes:
        """The difference of both, scaled to a common scale."""
        p = self.parameters(graph, op)
        first, second = to_common_scale(p, a, b)
        difference = multiply(first - second, p["multiplier"], p["exponent"]) + p["zero_point"]
        return to_int8(difference.clip(p["low"], p["high"])).astype("int64")


OPERATOR = Sub()
