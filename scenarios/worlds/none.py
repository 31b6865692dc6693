"""The choice of no scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tinyml_nas.types import DataCounts


@dataclass(frozen=True)
class NoScenario:
    """The run ends with the generated project; nothing is driven through it."""

    def fitted(self, data: DataCounts, field: DataCounts) -> Self:
        """Nothing was left open."""
        return self

    def check(self, data: DataCounts, field: DataCounts) -> None:
        """Any data sets will do."""
