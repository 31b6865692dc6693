"""A fair sample of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from codegen.buffers.base import COUNTER_BYTES, Rows, Shape


@dataclass(frozen=True)
class BalancedReservoir(Rows):
    """Class-balancing reservoir sampling (Chrysakis and Moens 2020)."""

    NAME: ClassVar[str] = "BalancedReservoir"
    HEADER: ClassVar[str] = "balanced_reservoir.hpp"
    SORTS: ClassVar[bool] = True

    def counter_bytes(self, shape: Shape) -> int:
        """How many there are, random bits; of each class how many there were, and a mark."""
        return 2 * COUNTER_BYTES + (COUNTER_BYTES + 1) * shape.classes
