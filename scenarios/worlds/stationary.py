"""Nothing changes: what learning itself does to a program that knows its task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scenarios.base import Curve
from scenarios.measures import course, mean
from scenarios.worlds.world import World
from tinyml_nas.types import Figure


@dataclass(frozen=True, kw_only=True)
class Stationary(World):
    """Samples come of the classes that the network knows. A good learner does no harm, however they come."""

    def figures(self, curves: Mapping[str, Curve]) -> dict[str, Figure]:
        """The end, beside the start, and the worst on the way."""
        curve = curves["all"]
        found = course(curve)
        del found["frozen_end"]  # the start
        return found | {"lowest": mean(curve.points.min(axis=1), "accuracy")}
