"""exp of a negative number in gemmlowp's 32-bit fixed-point arithmetic, on the host.

The number is split into multiples of 1/4, by one constant factor per bit, and a rest in
[-1/4, 0), by a Taylor polynomial around -1/8. LOGISTIC, TANH and SOFTMAX are made from it.
"""

from __future__ import annotations

import numpy as np

from codegen.arithmetic.fixed_point import Codes, divide_by_power_of_two, high_multiply

ONE = (1 << 31) - 1  # 1.0 in Q0.31, saturated
# exp(-2^power) in Q0.31, by power.
_FACTORS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)


def exp_of_negative(a: Codes, integer_bits: int) -> Codes:
    """Of a <= 0 with ``integer_bits`` (at most 5) before the binary point, in Q0.31."""
    fractional_bits = 31 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    low = (a & (quarter - 1)) - quarter  # a modulo 1/4, in [-1/4, 0)
    result = _exp_near_minus_eighth(low << integer_bits)
    remainder = low - a
    for power, factor in _FACTORS:
        if power >= integer_bits:
            break
        bit = 1 << (fractional_bits + power)
        result = np.where(remainder & bit, high_multiply(result, factor), result)
    return np.where(a == 0, ONE, result)


def _exp_near_minus_eighth(a: Codes) -> Codes:
    """Taylor polynomial of degree four, for a in [-1/4, 0) in Q0.31."""
    x = a + (1 << 28)
    x2 = high_multiply(x, x)
    x3 = high_multiply(x2, x)
    x4 = high_multiply(x2, x2)
    third, constant = 715827883, 1895147668  # 1/3 and exp(-1/8)
    cubic = high_multiply(divide_by_power_of_two(x4, 2) + x3, third) + x2
    return high_multiply(x + divide_by_power_of_two(cubic, 1), constant) + constant


def reciprocal(a: Codes) -> Codes:
    """2 / (1 + a) for a in [0, 1] in Q0.31, in Q2.29: three steps of Newton-Raphson."""
    half = (a + ONE + 1) >> 1
    x = high_multiply(half, -1010580540) + 1515870810  # 48/17 - 32/17 * half
    for _ in range(3):
        error = (1 << 29) - high_multiply(half, x)
        x += saturate(high_multiply(x, error) << 2)
    return x


def saturate(x: Codes) -> Codes:
    """Within 32 bits."""
    return np.clip(x, -(1 << 31), ONE)
