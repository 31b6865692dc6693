"""The head reads the network's own features."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_nas.design.limits import OmegaLimits
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.types import DataCounts


@dataclass(frozen=True)
class NoTaps:
    """Networks stay as they are."""

    def check(self, data: DataCounts) -> None:
        """Any data set will do."""

    def tapped(self, spec: NetworkSpec, limits: OmegaLimits) -> NetworkSpec:
        """``spec``."""
        return spec

    def least(self, spec: NetworkSpec) -> NetworkSpec:
        """``spec``."""
        return spec
