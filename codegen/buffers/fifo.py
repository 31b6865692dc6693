"""First in, first out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from codegen.buffers.base import COUNTER_BYTES, Rows, Shape


@dataclass(frozen=True)
class Fifo(Rows):
    """The buffer B of TyBox (Pavan et al. 2023): the last N_B samples."""

    NAME: ClassVar[str] = "Fifo"
    HEADER: ClassVar[str] = "fifo.hpp"

    def counter_bytes(self, shape: Shape) -> int:
        """Where the next sample goes, and how many there are."""
        return 2 * COUNTER_BYTES
