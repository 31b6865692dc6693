"""First in, first out."""

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
class Fifo:
    """The buffer B of TyBox (Pavan et al. 2023): the last N_B samples."""

    bits: int = WHOLE_BITS

    def sample_bytes(self, shape: Shape) -> int:
        """Features and a label."""
        return row_bytes(shape, self.bits) + LABEL_BYTES

    def state_bytes(self, shape: Shape) -> int:
        """Where the next sample goes, and how many there are."""
        return 2 * COUNTER_BYTES + unpacked_bytes(shape, self.bits)

    def cpp(self) -> Cpp:
        """Its class."""
        return Cpp(("buffers/fifo.hpp",), f"Fifo<{rows(self.bits)}>")
