"""What a buffer states of itself. ``runtime/buffers/`` has their C++."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from codegen.ir import DTYPE_BYTES, DType

LABEL_BYTES = 1
COUNTER_BYTES = 4


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


class Buffer(Protocol):
    """Which labelled samples are kept, and how: ``Config::kBufferSamples`` of them."""

    def sample_bytes(self, shape: Shape) -> int:
        """One sample: its features and its label."""

    def state_bytes(self, shape: Shape) -> int:
        """What it has beside its samples: counters; unpadded."""

    def cpp(self) -> Cpp:
        """Its class."""
