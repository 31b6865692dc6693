"""What taps are: they say which blocks a head reads, and into how many features these are folded."""

from __future__ import annotations

from typing import Protocol

from tinyml_nas.design.limits import OmegaLimits
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.types import DataCounts


class Taps(Protocol):
    """Group ``taps``: from a trained network to one whose head reads more, or other, features."""

    def check(self, data: DataCounts) -> None:
        """Refuse what no network of the data set's classes can have, naming the key; reads no data."""
        ...

    def tapped(self, spec: NetworkSpec, limits: OmegaLimits) -> NetworkSpec:
        """``spec`` with taps and, where there is a choice, as many features as Ω's ``limits`` leave room for.

        ``spec`` itself where nothing is tapped.
        """
        ...

    def least(self, spec: NetworkSpec) -> NetworkSpec:
        """The smallest network that ``tapped`` may give: what the search counts on."""
        ...
