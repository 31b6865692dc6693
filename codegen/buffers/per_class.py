"""The latest samples of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from codegen.buffers.base import COUNTER_BYTES, Rows, Shape


@dataclass(frozen=True)
class PerClass(Rows):
    """The latest samples of each class, as many of one as of another as far as they came."""

    NAME: ClassVar[str] = "PerClass"
    HEADER: ClassVar[str] = "per_class.hpp"
    SORTS: ClassVar[bool] = True

    def counter_bytes(self, shape: Shape) -> int:
        """How many there are."""
        return COUNTER_BYTES
