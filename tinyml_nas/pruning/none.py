"""No pruning: Φ is the baseline Υ itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pruning.base import Limits, Step, Unlimited
from tinyml_nas.types import DataCounts

if TYPE_CHECKING:
    from tinyml_nas.network.module import StaticNetwork


@dataclass(frozen=True)
class NoPruning(Unlimited):
    """Keeps every filter."""

    @property
    def foreseen(self) -> bool:
        """Nothing happens, surely."""
        return True

    def check(self, candidates: Sequence[NetworkSpec], limits: Limits, data: DataCounts) -> None:
        """Every network can be left alone."""

    def prune(self, network: StaticNetwork, limits: Limits, step: Step) -> StaticNetwork:
        """A copy of ``network``."""
        from tinyml_nas.network.module import rebuild

        return rebuild(network)

    def narrowed(self, spec: NetworkSpec, limits: Limits) -> NetworkSpec:
        """``spec`` itself."""
        return spec
