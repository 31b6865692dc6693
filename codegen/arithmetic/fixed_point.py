"""TensorFlow Lite Micro's fixed-point arithmetic, on the host.

A real factor becomes a 32-bit multiplier with its binary point before bit 31 and a power of two;
products are rounded twice (gemmlowp's saturating rounding doubling high multiply, then a rounding
division by a power of two). The generated kernels do the same in C++; here it fills tables.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from codegen.ir import ModelError, Tensor

INT8_MIN, INT8_MAX = -128, 127
LARGEST_EXPONENT = 30
LARGEST_SHIFT = 23  # to the right, of the fast kernels
Codes = npt.NDArray[np.int64]


def quantize_multiplier(real: float) -> tuple[int, int]:
    """The multiplier in [2^30, 2^31) and the exponent of ``real`` = multiplier * 2^(exponent - 31).

    >>> quantize_multiplier(0.5)
    (1073741824, 0)
    >>> quantize_multiplier(1e-12)
    (0, 0)

    Raises:
        ModelError: ``real`` is 2^30 or more.
    """
    if real == 0:
        return 0, 0
    fraction, exponent = math.frexp(real)
    multiplier = int(round_half_away(fraction * (1 << 31)))
    if multiplier == 1 << 31:
        multiplier //= 2
        exponent += 1
    if exponent > LARGEST_EXPONENT:
        raise ModelError(f"scales differ too much: a factor of {real:g} leaves 32 bits")
    return (0, 0) if exponent < -31 else (multiplier, exponent)


def is_fraction(multiplier: int, exponent: int) -> bool:
    """Whether the fast kernels can multiply by this factor, 2^-24 to 1/2.

    They need one right shift at least, and (2 * zero point + 1) << shift within 32 bits.
    """
    return multiplier > 0 and -LARGEST_SHIFT <= exponent <= -1


def round_half_away(value: float) -> float:
    """C's ``round``: to nearest, ties away from zero.

    >>> round_half_away(-2.5), round_half_away(0.49999999999999994)
    (-3.0, 0.0)
    """
    whole = math.trunc(value)
    return float(whole + math.copysign(1, value) if abs(value - whole) >= 0.5 else whole)


def wrap_int32(x: Codes) -> Codes:
    """The low 32 bits, as signed: what an int32 register holds after an overflow."""
    return (x + 2**31) % 2**32 - 2**31


def high_multiply(x: Codes, y: Codes | int) -> Codes:
    """Saturating rounding doubling high multiply of int32 values: round(x y / 2^31)."""
    product: Codes = (x * np.asarray(y, np.int64) + (1 << 30)) >> 31
    return product.clip(max=2**31 - 1)


def divide_by_power_of_two(x: Codes, exponent: int) -> Codes:
    """Division by 2^exponent, to nearest, ties away from zero."""
    remainder = x & ((1 << exponent) - 1)
    threshold = (((1 << exponent) - 1) >> 1) + (x < 0)
    return (x >> exponent) + (remainder > threshold)


def multiply(x: Codes, multiplier: int, exponent: int) -> Codes:
    """Product of x and multiplier * 2^(exponent - 31), rounded twice; x holds int32 values."""
    shifted = wrap_int32(x << max(exponent, 0))
    return divide_by_power_of_two(high_multiply(shifted, multiplier), max(-exponent, 0))


def all_codes() -> Codes:
    """Every int8 code in ascending order: the index of a look-up table, shifted by 128."""
    return np.arange(INT8_MIN, INT8_MAX + 1, dtype=np.int64)


def to_int8(values: Codes) -> npt.NDArray[np.int8]:
    """Saturate to int8."""
    return np.clip(values, INT8_MIN, INT8_MAX).astype(np.int8)


def scale_of(tensor: Tensor) -> Any:
    """The tensor's one scale, in single precision as the flatbuffer stores it."""
    return np.float32(_per_tensor(tensor)[0])


def zero_point_of(tensor: Tensor) -> int:
    """The tensor's one zero point."""
    return _per_tensor(tensor)[1]


def _per_tensor(tensor: Tensor) -> tuple[float, int]:
    quantization = tensor.quantization
    if quantization is None or len(quantization.scales) != 1:
        raise ModelError(f"tensor {tensor.name!r}: needs one scale and one zero point")
    return quantization.scales[0], quantization.zero_points[0]


def activation_range(activation: str, output: Tensor) -> tuple[int, int]:
    """The int8 codes between which a fused activation clamps."""
    low, high = INT8_MIN, INT8_MAX
    if activation in ("RELU", "RELU6"):
        low = max(low, code_of(0.0, output))
    if activation == "RELU6":
        high = min(high, code_of(6.0, output))
    return low, high


def code_of(real: float, tensor: Tensor) -> int:
    """The code of a real value, not saturated; the division is in single precision."""
    return zero_point_of(tensor) + int(round_half_away(float(np.float32(real) / scale_of(tensor))))
