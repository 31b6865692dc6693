"""RELU and RELU6 that stand alone, not fused into the operator before."""

from __future__ import annotations

import numpy as np

from codegen.arithmetic.fixed_point import (
    INT8_MAX,
    Codes,
    code_of,
    multiply,
    quantize_multiplier,
    scale_of,
    zero_point_of,
)
from codegen.ir import Graph, Op
from codegen.ops.base import FLOAT_MAX, output_of
from codegen.ops.unary import Unary


class Relu(Unary):
    """Rescale to the output, then clamp at its zero."""

    kernel = "clamp"
    bounds = (0.0, FLOAT_MAX)

    def evaluate(self, graph: Graph, op: Op, codes: Codes) -> Codes:
        """One multiplication by the ratio of scales."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        ratio = float(scale_of(source)) / float(scale_of(output))
        scaled = multiply(codes - zero_point_of(source), *quantize_multiplier(ratio))
        zero_point = zero_point_of(output)
        return np.clip(scaled + zero_point, zero_point, INT8_MAX)


class Relu6(Unary):
    """Clamp codes between the input's zero and six; the output has the input's scale."""

    kernel = "clamp"
    bounds = (0.0, 6.0)

    def evaluate(self, graph: Graph, op: Op, codes: Codes) -> Codes:
        """No rescaling takes place."""
        source = graph.tensors[op.inputs[0]]
        return np.clip(codes, zero_point_of(source), min(code_of(6.0, source), INT8_MAX))


RELU = Relu()
RELU6 = Relu6()
