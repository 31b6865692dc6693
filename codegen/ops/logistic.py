"""LOGISTIC, 1 / (1 + exp(-x))."""

from __future__ import annotations

import numpy as np

from codegen.arithmetic.fixed_exp import ONE, exp_of_negative, reciprocal, saturate
from codegen.arithmetic.fixed_point import Codes
from codegen.ops.sigmoidal import INTEGER_BITS, Sigmoidal


class Logistic(Sigmoidal):
    """The exponential is ``codegen.arithmetic.fixed_exp``'s, the reciprocal Newton-Raphson's."""

    kernel, denominator, zero_point = "logistic", 256, -128

    def fixed(self, x: Codes) -> Codes:
        """Of the negative number; the other side is what is missing to 1."""
        positive = saturate(reciprocal(exp_of_negative(-np.abs(x), INTEGER_BITS)) << 1)
        return np.where(x > 0, positive, np.where(x < 0, ONE - positive, 1 << 30))


OPERATOR = Logistic()
