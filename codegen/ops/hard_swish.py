"""HARD_SWISH: x * relu6(x + 3) / 6, in int8 by 16-bit fixed-point arithmetic."""

from __future__ import annotations

import numpy as np

from codegen.arithmetic.fixed_point import (
    Codes,
    divide_by_power_of_two,
    quantize_multiplier,
    scale_of,
    to_int8,
    zero_point_of,
)
from codegen.ir import Graph, ModelError, Op
from codegen.ops.base import output_of
from codegen.ops.unary import Unary

INT16_MIN, INT16_MAX = -(1 << 15), (1 << 15) - 1


class HardSwish(Unary):
    """The gate relu6(x + 3) / 6 and the value x are scaled apart and multiplied in 16 bits."""

    kernel = "hard_swish"

    def evaluate(self, graph: Graph, op: Op, codes: Codes) -> Codes:
        """Value and gate in Q15, their product rounded towards zero, then the output's scale."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        fine_scale = float(scale_of(source)) / 128  # of the input, 7 bits finer
        value_multiplier, value_exponent = _multiplier16(fine_scale / float(scale_of(output)))
        if value_exponent > 0:
            raise ModelError(f"the output's scale {scale_of(output)} is too fine for the input's")
        gate_multiplier, gate_exponent = _multiplier16(fine_scale / (3 / 32768))

        fine = (codes - zero_point_of(source)) << 7
        value = _high_multiply16(fine, value_multiplier)
        gate = fine
        if gate_exponent > 0:  # saturate where it cannot matter, then by the last bit
            gate = _saturate16(gate << (gate_exponent - 1))
        gate = _high_multiply16(gate, gate_multiplier)
        if gate_exponent > 0:
            gate = _saturate16(gate << 1)
        if gate_exponent < 0:
            gate = divide_by_power_of_two(gate, -gate_exponent)
        gate = (gate + (1 << 15)) >> 1  # from [-1, 1) to [0, 1)
        product = np.trunc(gate * value / (1 << 15)).astype(np.int64)
        scaled = divide_by_power_of_two(product, -value_exponent)
        return to_int8(scaled + zero_point_of(output)).astype(np.int64)


def _multiplier16(real: float) -> tuple[int, int]:
    """A 16-bit multiplier, rounded from the 32-bit one, and the exponent."""
    multiplier, exponent = quantize_multiplier(real)
    return min((multiplier + (1 << 15)) >> 16, INT16_MAX), exponent


def _high_multiply16(x: Codes, y: int) -> Codes:
    product: Codes = (x * y + (1 << 14)) >> 15
    return product.clip(max=INT16_MAX)


def _saturate16(x: Codes) -> Codes:
    return np.clip(x, INT16_MIN, INT16_MAX)


OPERATOR = HardSwish()
