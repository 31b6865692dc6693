"""Pieces of a 32-bit address space, and what may be said of several of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

ADDRESS_SPACE_BYTES = 1 << 32


@dataclass(frozen=True)
class Region:
    """A piece of address space; of 0 bytes where a board has none."""

    origin: int
    size_bytes: int

    @property
    def end(self) -> int:
        """The address behind it."""
        return self.origin + self.size_bytes

    def cut(self, size_bytes: int) -> int:
        """``size_bytes``, or its own size where that is less."""
        return min(size_bytes, self.size_bytes)


def check_apart(regions: Mapping[str, Region]) -> None:
    """Refuse regions that leave the address space or lie over each other.

    Raises:
        ValueError: naming ``device.<region>_bytes``, the address that it must end at, and its own.
    """
    ordered = sorted(
        ((region, name) for name, region in regions.items() if region.size_bytes),
        key=lambda item: (item[0].origin, item[0].size_bytes),
    )
    for region, name in ordered:
        if region.end > ADDRESS_SPACE_BYTES:
            raise ValueError(
                f"device.{name}_bytes: must end inside 32 bits of addresses; got "
                f"{region.size_bytes} from {region.origin:#x}, which ends at {region.end:#x}"
            )
    # In order of their origins, two that overlap have two neighbours that do.
    for (region, name), (after, other) in pairwise(ordered):
        if region.end > after.origin:
            raise ValueError(
                f"device.{name}_bytes: must end where device.{other}_origin begins "
                f"({after.origin:#x}); got {region.size_bytes} from {region.origin:#x}, which ends "
                f"at {region.end:#x}"
            )
