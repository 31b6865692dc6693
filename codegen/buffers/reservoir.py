"""A fair sample of all that came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from codegen.buffers.base import COUNTER_BYTES, Rows, Shape


@dataclass(frozen=True)
class Reservoir(Rows):
    """Reservoir sampling (Vitter 1985, algorithm R): each sample that came is kept with one probability."""

    NAME: ClassVar[str] = "Reservoir"
    HEADER: ClassVar[str] = "reservoir.hpp"

    def counter_bytes(self, shape: Shape) -> int:
        """How many there are and were, and random bits."""
        return 3 * COUNTER_BYTES
