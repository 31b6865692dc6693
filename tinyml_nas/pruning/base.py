"""What a pruning criterion is: it makes a trained network smaller, to be fine-tuned afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from tinyml_nas.network.spec import NetworkSpec

if TYPE_CHECKING:
    from tinyml_nas.network.module import StaticNetwork

SizeOf = Callable[[NetworkSpec], int]
"""Bytes of a network by its specification alone; never larger when a layer gets narrower."""


class Pruning(Protocol):
    """Group ``pruning``: from the baseline Υ to the smaller Φ of the thesis."""

    def check(self, candidates: Sequence[NetworkSpec], size_of: SizeOf) -> None:
        """Refuse what none of these networks can be pruned to, naming the key."""
        ...

    def prune(self, network: StaticNetwork, size_of: SizeOf) -> StaticNetwork:
        """A smaller network with the weights that were kept; ``network`` stays as it is."""
        ...

    def narrowed(self, spec: NetworkSpec, size_of: SizeOf) -> NetworkSpec:
        """What ``prune`` makes of a network of ``spec``, whatever its weights: known before it is trained."""
        ...
