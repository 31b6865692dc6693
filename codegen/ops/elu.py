"""ELU: x where that is positive, exp(x) - 1 where it is not."""

from __future__ import annotations

import numpy as np

from codegen.ops.real_table import Reals, RealTable


class Elu(RealTable):
    """In int8 a table that TensorFlow Lite fills with reals of single precision."""

    kernel = "elu"

    def real(self, x: Reals) -> Reals:
        """The function itself."""
        return np.where(x < 0, np.expm1(np.minimum(x, 0)), x).astype(np.float32)


OPERATOR = Elu()
