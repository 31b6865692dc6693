"""The compiler's view of a network: frozen graph, operators and tensors.

Shapes follow TensorFlow Lite: activations are NHWC with a batch of one, CONV_2D weights are
(out, kernel_h, kernel_w, in), DEPTHWISE_CONV_2D weights are (1, kernel_h, kernel_w, out),
FULLY_CONNECTED weights are (out, in).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt


class ModelError(ValueError):
    """A model that the compiler cannot take: damaged, unsupported, or not of one piece."""


DType = Literal["int8", "int16", "int32", "int64", "uint8", "bool", "float16", "float32"]
DTYPE_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "int8": 1,
        "int16": 2,
        "int32": 4,
        "int64": 8,
        "uint8": 1,
        "bool": 1,
        "float16": 2,
        "float32": 4,
    }
)


@dataclass(frozen=True)
class Quantization:
    """Affine quantization, real = scale * (code - zero_point).

    One scale and zero point for the tensor, or one for each index along ``axis``.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value of the graph. ``constant`` tensors live in flash, the others in the arena.

    ``data`` is None for activations, and for the constants of a graph that is only planned.
    ``open_axes`` are those of which a file says that their size is known only when it runs: the
    shape then has a 1 there. An input that is ``outside`` is read where the caller has it, and never written.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quantization: Quantization | None = None
    constant: bool = False
    data: npt.NDArray[np.generic] | None = None
    open_axes: tuple[int, ...] = ()
    outside: bool = False

    @property
    def in_arena(self) -> bool:
        """Whether it lies in the arena, if anything reads or makes it."""
        return not (self.constant or self.outside)

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Bytes that the elements take."""
        return self.elements * DTYPE_BYTES[self.dtype]


@dataclass(frozen=True)
class Op:
    """One operator: TensorFlow Lite's name (``CONV_2D``), tensor indices, and its options.

    Options use the schema's names in snake case, enumerations as upper-case text:
    ``{"padding": "SAME", "stride_h": 2, "fused_activation": "RELU"}``. An optional input that is
    absent has index -1.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int | float | str | bool] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Graph:
    """Operators in execution order over a table of tensors."""

    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def input(self) -> Tensor:
        """The single input."""
        (index,) = self.inputs
        return self.tensors[index]

    @property
    def output(self) -> Tensor:
        """The single output."""
        (index,) = self.outputs
        return self.tensors[index]

    @property
    def given(self) -> tuple[int, ...]:
        """The inputs that lie in the arena."""
        return tuple(index for index in self.inputs if self.tensors[index].in_arena)

    @property
    def constant_bytes(self) -> int:
        """Bytes of weights and biases, as stored in the flatbuffer."""
        used = {i for op in self.ops for i in op.inputs if i >= 0}
        return sum(self.tensors[i].size_bytes for i in used if self.tensors[i].constant)


def read_outside(graph: Graph) -> Graph:
    """The graph with an input that is read where the caller has it, and takes nothing of the arena."""
    (index,) = graph.inputs
    tensors = list(graph.tensors)
    tensors[index] = replace(graph.input, outside=True)
    return replace(graph, tensors=tuple(tensors))
