"""The cut that the eye would make: each group ends where its sorted L1 norms bend (thesis, section 3)."""

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
class L1Knee(Unlimited):
    """Removes the least relevant filters of each group by their L1 norms, without a ratio.

    The thesis chooses how many filters each layer loses by hand and gives no rule beyond their norm.
    This is the rule behind such choices, made exact: the norms of a group, sorted, are cut at the
    point farthest from the straight line between the greatest and the least (the knee of Satopää et
    al. 2011, "Kneedle"). Sizes are what they become; nothing of it is known before training.

    Args:
        round_to: Groups keep a multiple of this many channels, at least one; 4 suits int8 kernels.
    """

    round_to: int = 4

    def __post_init__(self) -> None:
        if self.round_to < 1:
            raise ValueError(f"pruning.round_to: must be 1 or more; got {self.round_to}")

    @property
    def foreseen(self) -> bool:
        """The weights alone decide."""
        return False

    def check(self, candidates: Sequence[NetworkSpec], limits: Limits, data: DataCounts) -> None:
        """Every network can be cut somewhere."""

    def prune(self, network: StaticNetwork, limits: Limits, step: Step) -> StaticNetwork:
        """The channels before each group's knee."""
        from tinyml_nas.pruning.channels import Prunable

        prunable = Prunable(network)
        norms = [group.l1_norms() for group in prunable.channels()]
        return prunable.keep(norms, [self.kept(scores.tolist()) for scores in norms])

    def narrowed(self, spec: NetworkSpec, limits: Limits) -> NetworkSpec:
        """``spec`` itself, an upper bound: where norms are equal nothing goes."""
        return spec

    def kept(self, norms: Sequence[float]) -> int:
        """How many channels stay, up to the next multiple."""
        knee = knee_of(sorted(norms, reverse=True))
        return min(len(norms), -(-knee // self.round_to) * self.round_to)


def knee_of(falling: Sequence[float]) -> int:
    """How many of the values stand before the drop; all where they lie on a line.

    A knee above the line is the last before the drop, one below is the first after it.
    """
    last = len(falling) - 1
    height = falling[0] - falling[-1]
    if last < 2 or height <= 0:
        return len(falling)
    above = [
        (value - falling[-1]) / height - (1 - position / last)
        for position, value in enumerate(falling)
    ]
    knee = max(range(len(above)), key=lambda position: abs(above[position]))
    if abs(above[knee]) < 1e-6:
        return len(falling)
    return knee + 1 if above[knee] > 0 else knee
