"""GELU: x times the normal distribution at x, by the error function or by tanh."""

from __future__ import annotations

import math

import numpy as np

from codegen.ir import Graph, Op
from codegen.ops.base import Call, output_of
from codegen.ops.real_table import Reals, RealTable

SQRT_2_OVER_PI = math.sqrt(2 / math.pi)


class Gelu(RealTable):
    """Hendrycks and Gimpel, 2016. TensorFlow Lite Micro has none; the table is LiteRT's."""

    def real(self, x: Reals) -> Reals:
        """The exact function."""
        half = np.float32(0.5)
        bell = [math.erfc(-float(value) * math.sqrt(0.5)) for value in x.reshape(-1)]
        result: Reals = np.asarray(half * x * np.array(bell, np.float32).reshape(x.shape))
        return result

    def of(self, graph: Graph, op: Op, x: Reals) -> Reals:
        """The exact one, or the one by tanh where the option says so."""
        if not op.options["approximate"]:
            return self.real(x)
        inner = np.float32(SQRT_2_OVER_PI) * (x + np.float32(0.044715) * x**3)
        result: Reals = np.asarray(np.float32(0.5) * x * (1 + np.tanh(inner)))
        return result

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call the float kernel."""
        kernel = "gelu_by_tanh" if op.options["approximate"] else "gelu"
        fields = {"count": output_of(graph, op).elements}
        return self.float_call(graph, op, kernel, "UnaryFloat", fields)


OPERATOR = Gelu()
