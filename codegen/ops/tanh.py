"""TANH: (1 - exp(2x)) / (1 + exp(2x)) for x below 0, and odd."""

from __future__ import annotations

import numpy as np

from codegen.arithmetic.fixed_exp import exp_of_negative, reciprocal, saturate
from codegen.arithmetic.fixed_point import Codes
from codegen.ops.sigmoidal import INTEGER_BITS, Sigmoidal


class Tanh(Sigmoidal):
    """The exponential is ``codegen.arithmetic.fixed_exp``'s, the reciprocal Newton-Raphson's."""

    kernel, denominator, zero_point = "hyperbolic_tangent", 128, 0

    def fixed(self, x: Codes) -> Codes:
        """With one integer bit more, the bits of x are those of 2x."""
        twice = reciprocal(exp_of_negative(-np.abs(x), INTEGER_BITS + 1))
        magnitude = saturate((twice - (1 << 29)) << 2)
        return np.where(x > 0, magnitude, np.where(x < 0, -magnitude, 0))


OPERATOR = Tanh()
