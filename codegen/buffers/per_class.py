"""The latest samples of each class."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.buffers.base import (
    COUNTER_BYTES,
    LABEL_BYTES,
    WHOLE_BITS,
    Cpp,
    Shape,
    row_bytes,
    rows,
    unpacked_bytes,
)


@dataclass(frozen=True)
class PerClass:
    """The latest samples of each class, as many of one as of another as far as they came."""

    bits: int = WHOLE_BITS

    def sample_bytes(self, shape: Shape) -> int:
        """Features and a label."""
        return row_bytes(shape, self.bits) + LABEL_BYTES

    def state_bytes(self, shape: Shape) -> int:
        """How many there are."""
        return COUNTER_BYTES + unpacked_bytes(shape, self.bits)

    def cpp(self) -> Cpp:
        """Its class."""
        return Cpp(("buffers/per_class.hpp",), f"PerClass<{rows(self.bits)}, Config::kClasses>")
