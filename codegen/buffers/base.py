"""What a buffer states of itself. ``runtime/buffers/`` has their C++."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

from codegen.ir import DTYPE_BYTES, DType

LABEL_BYTES = 1
COUNTER_BYTES = 4
WHOLE_BITS, PACKED_BITS = 8, 4
"""Of a feature in a buffer: as the extractor writes it, or the upper half of its int8 code."""


@dataclass(frozen=True)
class Shape:
    """What the bytes of a learner and of its buffer depend on.

    ``classes`` are those that are compiled in, ``dtype`` is of the features as the extractor writes
    them, ``buffer_samples`` is N_B.
    """

    features: int
    classes: int
    dtype: DType
    buffer_samples: int = 0

    @property
    def feature_bytes(self) -> int:
        """One sample's features, as the extractor writes them."""
        return self.features * DTYPE_BYTES[self.dtype]


@dataclass(frozen=True)
class Cpp:
    """A class of the runtime: its headers (in ``runtime/``), and the type as C++ writes it."""

    headers: tuple[str, ...]
    type: str


def row_bytes(shape: Shape, bits: int) -> int:
    """A sample's features as a buffer keeps them, in ``bits`` each or as they are.

    Raises:
        ValueError: reals are not packed.
    """
    if bits == PACKED_BITS:
        if shape.dtype != "int8":
            raise ValueError(
                f"learner.buffer_bits: features are {shape.dtype}, and only int8 is packed into "
                f"{PACKED_BITS} bits; must be {WHOLE_BITS}"
            )
        return (shape.features + 1) // 2
    return shape.feature_bytes


@dataclass(frozen=True)
class Rows(ABC):
    """Base of the buffers of this folder: labelled rows of features, of ``bits`` each."""

    bits: int = WHOLE_BITS

    NAME: ClassVar[str]
    HEADER: ClassVar[str]
    SORTS: ClassVar[bool] = False
    """Whether it tells classes apart."""

    def sample_bytes(self, shape: Shape) -> int:
        """Features and a label."""
        return row_bytes(shape, self.bits) + LABEL_BYTES

    @abstractmethod
    def counter_bytes(self, shape: Shape) -> int:
        """What it counts."""

    def state_bytes(self, shape: Shape) -> int:
        """What it counts, and where a packed row is unpacked."""
        return self.counter_bytes(shape) + (shape.features if self.bits == PACKED_BITS else 0)

    def cpp(self) -> Cpp:
        """Its class."""
        packed = "PackedRows<" if self.bits == PACKED_BITS else "Rows<Config::Feature, "
        rows = f"{packed}Config::kFeatures, Config::kBufferSamples>"
        classes = ", Config::kClasses" if self.SORTS else ""
        return Cpp((f"buffers/{self.HEADER}",), f"{self.NAME}<{rows}{classes}>")


class Buffer(Protocol):
    """Which labelled samples are kept, and how: ``Config::kBufferSamples`` of them."""

    def sample_bytes(self, shape: Shape) -> int:
        """One sample: its features and its label."""

    def state_bytes(self, shape: Shape) -> int:
        """What it has beside its samples: counters; unpadded."""

    def cpp(self) -> Cpp:
        """Its class."""
