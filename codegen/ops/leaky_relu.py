"""LEAKY_RELU: x where that is positive, alpha * x where it is not."""

from __future__ import annotations

import math

import numpy as np

from codegen.arithmetic.fixed_point import (
    Codes,
    multiply,
    quantize_multiplier,
    scale_of,
    to_int8,
    zero_point_of,
)
from codegen.ir import Graph, ModelError, Op
from codegen.ops.base import LARGEST_SCALE, Call, output_of
from codegen.ops.unary import Unary


class LeakyRelu(Unary):
    """Two factors to the output's scale, taken in double precision, in which the oracle has them."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse an alpha that is no number."""
        super().check(graph, op)
        alpha = float(op.options["alpha"])
        if not (math.isfinite(alpha) and abs(alpha) <= LARGEST_SCALE):
            raise ModelError(f"alpha must be a number; got {alpha}")

    def evaluate(self, graph: Graph, op: Op, codes: Codes) -> Codes:
        """Each side rescaled by a factor of its own."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        centred = codes - zero_point_of(source)
        alpha = float(np.float32(op.options["alpha"]))
        scale, finer = float(scale_of(source)), float(scale_of(output))
        slopes = scale / finer, scale * alpha / finer
        above, below = (multiply(centred, *quantize_multiplier(slope)) for slope in slopes)
        scaled = np.where(centred >= 0, above, below)
        return to_int8(scaled + zero_point_of(output)).astype(np.int64)

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call the float kernel."""
        fields = {"count": output_of(graph, op).elements, "alpha": float(op.options["alpha"])}
        return self.float_call(graph, op, "leaky_relu", "SlopeFloat", fields)


OPERATOR = LeakyRelu()
