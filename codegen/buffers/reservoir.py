"""A fair sample of all that came."""

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
class Reservoir:
    """Reservoir sampling (Vitter 1985, algorithm R): each sample that came is kept with one probability."""

    bits: int = WHOLE_BITS

    def sample_bytes(self, shape: Shape) -> int:
        """Features and a label."""
        return row_bytes(shape, self.bits) + LABEL_BYTES

    def state_bytes(self, shape: Shape) -> int:
        """How many there are and were, and random bits."""
        return 3 * COUNTER_BYTES + unpacked_bytes(shape, self.bits)

    def cpp(self) -> Cpp:
        """Its class."""
        return Cpp(("buffers/reservoir.hpp",), f"Reservoir<{rows(self.bits)}>")
