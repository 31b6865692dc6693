"""Operators of one operand whose int8 table TensorFlow Lite fills by computing with reals."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from codegen.arithmetic.fixed_point import Codes, scale_of, to_int8, zero_point_of
from codegen.ir import Graph, Op
from codegen.ops.base import output_of
from codegen.ops.unary import Unary

Reals = npt.NDArray[np.float32]


class RealTable(Unary):
    """Dequantize, compute in single precision, divide by the scale, round half away from zero."""

    @abstractmethod
    def real(self, x: Reals) -> Reals:
        """The function of reals."""

    def evaluate(self, graph: Graph, op: Op, codes: Codes) -> Codes:
        """Of every code its real number's image."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        with np.errstate(over="ignore", invalid="ignore"):
            x = scale_of(source) * (codes - zero_point_of(source)).astype(np.float32)
            scaled = self.of(graph, op, x) * (np.float32(1) / scale_of(output))
            magnitude = np.abs(scaled).astype(np.float64)
            rounded = np.copysign(np.floor(magnitude + 0.5), scaled)
        finite = np.nan_to_num(rounded, nan=0.0, posinf=1e6, neginf=-1e6).clip(-1e6, 1e6)
        return to_int8(finite.astype(np.int64) + zero_point_of(output)).astype(np.int64)

    def of(self, graph: Graph, op: Op, x: Reals) -> Reals:
        """``real``, for operators whose function has options."""
        return self.real(x)
