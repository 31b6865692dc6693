"""LOGISTIC and TANH: functions that saturate, in int8 by gemmlowp's 32-bit fixed-point arithmetic."""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np

from codegen.arithmetic.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    Codes,
    divide_by_power_of_two,
    multiply,
    round_half_away,
    scale_of,
    to_int8,
    zero_point_of,
)
from codegen.ir import Graph, Op
from codegen.ops.base import output_of, require
from codegen.ops.unary import Unary

INTEGER_BITS = 4  # of the input
FRACTIONAL_BITS = 31 - INTEGER_BITS


class Sigmoidal(Unary):
    """Scale and zero point of the output are TensorFlow Lite's specification of the operator."""

    denominator: int  # of the output's scale
    zero_point: int

    @abstractmethod
    def fixed(self, x: Codes) -> Codes:
        """The function of x in Q4.27, in Q0.31."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse another output scale in int8."""
        super().check(graph, op)
        output = output_of(graph, op)
        if output.dtype == "int8":
            same = zero_point_of(output) == self.zero_point
            fixed = same and scale_of(output) == 1 / self.denominator
            text = f"must have scale 1/{self.denominator} and zero point {self.zero_point}"
            require(fixed, output, text)

    def evaluate(self, graph: Graph, op: Op, codes: Codes) -> Codes:
        """Codes beyond the input's 4 integer bits saturate."""
        source = graph.tensors[op.inputs[0]]
        fraction, exponent = math.frexp(float(scale_of(source)) * (1 << FRACTIONAL_BITS))
        multiplier = int(round_half_away(fraction * (1 << 31)))
        limit = (1 << INTEGER_BITS) - 1
        radius = math.floor(limit * 2.0 ** (FRACTIONAL_BITS - exponent))
        centred = codes - zero_point_of(source)
        inside = np.clip(centred, -radius + 1, radius - 1)
        bits = 32 - self.denominator.bit_length()  # behind the output's last one
        result = divide_by_power_of_two(self.fixed(multiply(inside, multiplier, exponent)), bits)
        result = to_int8(result + self.zero_point).astype(np.int64)
        result = np.where(centred >= radius, INT8_MAX, result)
        return np.where(centred <= -radius, INT8_MIN, result).astype(np.int64)
