"""LOGISTIC, 1 / (1 + exp(-x)), in int8 by gemmlowp's 32-bit fixed-point arithmetic.

The exponential is ``codegen.arithmetic.fixed_exp``'s; the reciprocal is Newton-Raphson's.
"""

from __future__ import annotations

import math

import numpy as np

from codegen.arithmetic.fixed_exp import ONE, exp_of_negative
from codegen.arithmetic.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    Codes,
    divide_by_power_of_two,
    high_multiply,
    multiply,
    round_half_away,
    scale_of,
    to_int8,
    zero_point_of,
)
from codegen.ir import Graph, Op
from codegen.ops.base import output_of, require
from codegen.ops.unary import Unary

INPUT_INTEGER_BITS = 4
FRACTIONAL_BITS = 31 - INPUT_INTEGER_BITS
OUTPUT_ZERO_POINT = -128


class Logistic(Unary):
    """The output's scale is 1/256 and its zero point -128 by TensorFlow Lite's specification."""

    kernel = "logistic"

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse another output scale in int8."""
        super().check(graph, op)
        output = output_of(graph, op)
        if output.dtype == "int8":
            fixed = zero_point_of(output) == OUTPUT_ZERO_POINT and scale_of(output) == 1 / 256
            require(fixed, output, "must have scale 1/256 and zero point -128")

    def evaluate(self, graph: Graph, op: Op, codes: Codes) -> Codes:
        """Codes beyond the input's 4 integer bits saturate."""
        source = graph.tensors[op.inputs[0]]
        fraction, exponent = math.frexp(float(scale_of(source)) * (1 << FRACTIONAL_BITS))
        multiplier = int(round_half_away(fraction * (1 << 31)))
        limit = (1 << INPUT_INTEGER_BITS) - 1
        radius = math.floor(limit * 2.0 ** (31 - INPUT_INTEGER_BITS - exponent))
        centred = codes - zero_point_of(source)
        inside = np.clip(centred, -radius + 1, radius - 1)
        result = divide_by_power_of_two(_logistic(multiply(inside, multiplier, exponent)), 23)
        result = to_int8(result + OUTPUT_ZERO_POINT).astype(np.int64)
        result = np.where(centred >= radius, INT8_MAX, result)
        return np.where(centred <= -radius, INT8_MIN, result).astype(np.int64)


def _logistic(x: Codes) -> Codes:
    """Of x in Q4.27, in Q0.31."""
    positive = _reciprocal_of_one_plus(exp_of_negative(-np.abs(x), INPUT_INTEGER_BITS))
    return np.where(x > 0, positive, np.where(x < 0, ONE - positive, 1 << 30))


def _reciprocal_of_one_plus(a: Codes) -> Codes:
    """1 / (1 + a) for a in [0, 1] in Q0.31, by three steps of Newton-Raphson in Q2.29."""
    total = a + ONE
    half = (total + 1) >> 1
    x = high_multiply(half, -1010580540) + 1515870810  # 48/17 - 32/17 * half
    for _ in range(3):
        error = (1 << 29) - high_multiply(half, x)
        x += _saturate(high_multiply(x, error) << 2)
    return _saturate(x << 1)


def _saturate(x: Codes) -> Codes:
    return np.clip(x, -(1 << 31), ONE)


OPERATOR = Logistic()
