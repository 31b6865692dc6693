"""The host's fixed-point arithmetic against exact rationals, rounded step by step."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.arithmetic.fixed_point import (
    activation_range,
    divide_by_power_of_two,
    high_multiply,
    multiply,
    quantize_multiplier,
    round_half_away,
    scale_of,
    wrap_int32,
)
from codegen.ir import ModelError, Quantization, Tensor

int32 = st.integers(-(2**31), 2**31 - 1)
multipliers = st.integers(2**30, 2**31 - 1)


def _half_up(value: Fraction) -> int:
    return (value + Fraction(1, 2)).__floor__()


def _half_away(value: Fraction) -> int:
    return _half_up(value) if value >= 0 else -_half_up(-value)


@given(st.floats(1e-9, 1e6))
def test_multiplier_and_exponent_hold_31_bits(real: float) -> None:
    multiplier, exponent = quantize_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert multiplier * 2.0 ** (exponent - 31) == pytest.approx(real, rel=2**-31)


@given(int32, multipliers)
def test_high_multiply_rounds_ties_up(x: int, y: int) -> None:
    assert high_multiply(np.array([x]), y)[0] == _half_up(Fraction(x * y, 2**31))


@given(int32, st.integers(0, 31))
def test_division_rounds_ties_away_from_zero(x: int, exponent: int) -> None:
    got = divide_by_power_of_two(np.array([x], np.int64), exponent)[0]
    assert got == _half_away(Fraction(x, 2**exponent))


@given(st.integers(-(2**20), 2**20), multipliers, st.integers(-31, 10))
def test_multiply_rounds_twice(x: int, multiplier: int, exponent: int) -> None:
    shifted = x << max(exponent, 0)
    high = _half_up(Fraction(shifted * multiplier, 2**31))
    expected = _half_away(Fraction(high, 2 ** max(-exponent, 0)))
    assert multiply(np.array([x], np.int64), multiplier, exponent)[0] == expected


@given(st.integers(-(2**40), 2**40))
def test_wrap_is_what_int32_holds(x: int) -> None:
    assert wrap_int32(np.array([x]))[0] == np.array([x]).astype(np.int32)[0]


def test_rounding_of_halves() -> None:
    assert [round_half_away(v) for v in (-1.5, -0.5, 0.5, 1.5, 2.4)] == [-2, -1, 1, 2, 2]


def test_activation_ranges() -> None:
    output = Tensor("y", (1,), "int8", Quantization((0.05,), (-100,)))
    assert activation_range("NONE", output) == (-128, 127)
    assert activation_range("RELU", output) == (-100, 127)
    assert activation_range("RELU6", output) == (-100, 20)


def test_per_channel_scales_are_not_one_scale() -> None:
    weights = Tensor("w", (2,), "int8", Quantization((0.1, 0.2), (0, 0)))
    with pytest.raises(ModelError, match="'w': needs one scale"):
        scale_of(weights)
