"""SOFTMAX over the last axis, in int8 by gemmlowp's fixed-point arithmetic.

The exponential of a difference of two codes is one of 256: a table in Q0.31, made on the host.
"""

from __future__ import annotations

import math

import numpy as np

from codegen.arithmetic.fixed_exp import exp_of_negative
from codegen.arithmetic.fixed_point import (
    Codes,
    high_multiply,
    quantize_multiplier,
    scale_of,
    wrap_int32,
    zero_point_of,
)
from codegen.ir import Graph, ModelError, Op
from codegen.ops.base import (
    Array,
    Call,
    Operator,
    Value,
    output_of,
    require,
    require_activations,
    require_inputs,
)

INTEGER_BITS = 5  # of the scaled difference
TABLE_ENTRIES = 256
MOST_CLASSES = 4095  # the sum of exponentials has 12 integer bits
OUTPUT_ZERO_POINT = -128


class Softmax(Operator):
    """The output's scale is 1/256 and its zero point -128 by TensorFlow Lite's specification."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse another output scale in int8, and a beta that is not a number."""
        require_inputs(op, 1, 1)
        require_activations(graph, op)
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        require(source.shape == output.shape, output, f"must be {source.shape}")
        require(bool(source.shape), source, "needs an axis")
        beta = float(op.options["beta"])
        if not (math.isfinite(beta) and beta > 0):
            raise ModelError(f"beta must be positive; got {beta}")
        if source.dtype == "float32":
            return
        if source.quantization is None or output.quantization is None:
            raise ModelError("int8 activations need a scale")
        fixed = zero_point_of(output) == OUTPUT_ZERO_POINT and scale_of(output) == 1 / 256
        require(fixed, output, "must have scale 1/256 and zero point -128")
        require(source.shape[-1] <= MOST_CLASSES, source, f"no more than {MOST_CLASSES} classes")
        require(_factor(graph, op) > 1, source, "its scale is too fine")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``softmax``."""
        output = output_of(graph, op)
        classes = output.shape[-1]
        fields: dict[str, Value] = {"rows": output.elements // classes, "classes": classes}
        if output.dtype == "float32":
            params, fields = "SoftmaxFloat", fields | {"beta": float(op.options["beta"])}
        else:
            table = exponentials(graph, op)[::-1].astype(np.int32)  # by how much below the largest
            params, fields = "SoftmaxInt8", fields | {"exponentials": Array("exp", table)}
        return Call("softmax", "softmax.hpp", params, fields, op.inputs, op.outputs[0])

    def in_place(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Its operand: a row is read whole before it is written."""
        return (0,)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """One table in int8."""
        return 4 * TABLE_ENTRIES if output_of(graph, op).dtype == "int8" else 0


def exponentials(graph: Graph, op: Op) -> Codes:
    """exp(beta * scale * difference) in Q0.31 for differences of -255 to 0.

    Differences that would leave the fixed-point format count as nothing.
    """
    multiplier, exponent = quantize_multiplier(_factor(graph, op))
    widest = ((1 << INTEGER_BITS) - 1) * 2.0 ** (31 - INTEGER_BITS - exponent)
    differences = np.arange(1 - TABLE_ENTRIES, 1, dtype=np.int64)
    scaled = high_multiply(wrap_int32(differences << exponent), multiplier)
    inside = differences >= -math.floor(widest)
    return np.where(inside, exp_of_negative(np.where(inside, scaled, 0), INTEGER_BITS), 0)


def _factor(graph: Graph, op: Op) -> float:
    """From a difference of codes to one in Q5.26."""
    scale = float(scale_of(graph.tensors[op.inputs[0]]))
    beta = float(np.float32(op.options["beta"]))
    return min(beta * scale * (1 << (31 - INTEGER_BITS)), 2.0**31 - 1)


OPERATOR = Softmax()
