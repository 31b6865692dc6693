"""Builds small graphs operator by operator, with weights at random."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from codegen.ir import Graph, Op, Quantization, Tensor


class Builder:
    """Builds a graph operator by operator; every method returns a tensor's index."""

    def __init__(self, rng: np.random.Generator, dtype: str = "int8") -> None:
        self.rng, self.dtype = rng, dtype
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []

    def activation(
        self,
        shape: tuple[int, ...],
        scale: float = 0.05,
        zero_point: int | None = None,
        dtype: str | None = None,
    ) -> int:
        """An activation tensor; int8 ones get a random zero point unless one is given."""
        dtype = dtype or self.dtype
        zero = int(self.rng.integers(-128, 128)) if zero_point is None else zero_point
        quantization = Quantization((float(np.float32(scale)),), (zero,))
        return self._append(shape, dtype, quantization if dtype == "int8" else None, None)

    def constant(
        self, data: npt.NDArray[Any], scales: tuple[float, ...] = (), axis: int = 0, zero: int = 0
    ) -> int:
        """A constant tensor with the array's own dtype."""
        single = tuple(float(np.float32(scale)) for scale in scales)
        quantization = Quantization(single, (zero,) * len(single), axis) if single else None
        return self._append(data.shape, str(data.dtype), quantization, data)

    def operator(self, kind: str, inputs: tuple[int, ...], output: int, **options: Any) -> int:
        """Append an operator; returns its output."""
        self.several(kind, inputs, (output,), **options)
        return output

    def several(
        self, kind: str, inputs: tuple[int, ...], outputs: tuple[int, ...], **options: Any
    ) -> None:
        """Append an operator of several outputs."""
        self.ops.append(Op(kind, inputs, outputs, options))

    def graph(self, source: int, output: int) -> Graph:
        """The finished graph."""
        return Graph(tuple(self.tensors), tuple(self.ops), (source,), (output,))

    def _append(
        self,
        shape: tuple[int, ...],
        dtype: Any,
        quantization: Quantization | None,
        data: npt.NDArray[Any] | None,
    ) -> int:
        name = f"t{len(self.tensors)}"
        self.tensors.append(Tensor(name, shape, dtype, quantization, data is not None, data))
        return len(self.tensors) - 1
