"""No pruning: Φ is the baseline Υ itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pruning.base import SizeOf

if TYPE_CHECKING:
    from tinyml_nas.network.module import StaticNetwork


@dataclass(frozen=True)
class NoPruning:
    """Keeps every filter."""

    def check(self, candidates: Sequence[NetworkSpec], size_of: SizeOf) -> None:
        """Every network can be left alone."""

    def prune(self, network: StaticNetwork, size_of: SizeOf) -> StaticNetwork:
        """A copy of ``network``."""
        from tinyml_nas.network.module import rebuild

        del size_of
        return rebuild(network)

    def narrowed(self, spec: NetworkSpec, size_of: SizeOf) -> NetworkSpec:
        """``spec`` itself."""
        del size_of
        return spec
