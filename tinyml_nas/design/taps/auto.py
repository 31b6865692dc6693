"""The choice of taps that is made by trying all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyml_nas.design.taps.base import Taps
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.types import DataCounts


@dataclass(frozen=True, eq=False)
class AutoTaps:
    """The taps that do best on validation streams, with the learner that does best with them.

    Where there is no scenario, the first that fit are taken.
    """

    candidates: Mapping[str, Taps]

    def __post_init__(self) -> None:
        if not self.candidates:
            raise ValueError("taps.candidates: must be at least one way to tap; there are none")

    def check(self, data: DataCounts) -> None:
        """Ask every candidate."""
        for taps in self.candidates.values():
            taps.check(data)

    def least(self, spec: NetworkSpec) -> NetworkSpec:
        """Of all candidates, that of the fewest features."""
        found = [taps.least(spec) for taps in self.candidates.values()]
        return min(found, key=lambda tapped: tapped.head_features)


def candidates_of(taps: Taps | AutoTaps) -> Mapping[str, Taps]:
    """The ways that there are to choose from, by name."""
    if isinstance(taps, AutoTaps):
        return taps.candidates
    return {type(taps).__module__.rpartition(".")[2]: taps}
