"""A fair sample of each class."""

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
class BalancedReservoir:
    """Class-balancing reservoir sampling (Chrysakis and Moens 2020)."""

    bits: int = WHOLE_BITS

    def sample_bytes(self, shape: Shape) -> int:
        """Features and a label."""
        return row_bytes(shape, self.bits) + LABEL_BYTES

    def state_bytes(self, shape: Shape) -> int:
        """How many there are, random bits; of each class how many there were, and a mark."""
        return (
            2 * COUNTER_BYTES
            + (COUNTER_BYTES + 1) * shape.classes
            + unpacked_bytes(shape, self.bits)
        )

    def cpp(self) -> Cpp:
        """Its class."""
        return Cpp(
            ("buffers/balanced_reservoir.hpp",),
            f"BalancedReservoir<{rows(self.bits)}, Config::kClasses>",
        )
