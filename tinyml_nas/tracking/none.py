"""The choice to record runs nowhere but in their folders."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_nas.tracking.base import Tracked


@dataclass(frozen=True)
class NoTracking:
    """A run's folder is its only record."""

    def check(self) -> None:
        """Nothing is needed."""

    def record(self, run: Tracked) -> None:
        """Nothing is recorded."""
