"""Nothing changes: what learning itself does to a program that knows its task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scenarios.base import Curve, Order, Stream
from scenarios.field import Samples
from scenarios.measures import course, mean
from scenarios.worlds.world import World, whole
from tinyml_nas.types import Figure


@dataclass(frozen=True, kw_only=True)
class Stationary(World):
    """Samples come of the classes that the network knows. A good learner does no harm, however they come."""

    def stream(self, pool: Samples, classes: int, order: Order, rng: np.random.Generator) -> Stream:
        """Draw labelled images."""
        ranking = rng.spawn(1)[0].permutation(classes)
        samples = pool[order.choose(pool.labels, self.samples, ranking, rng)]
        told = order.tell(samples.labels, np.ones((self.samples, classes), np.bool_), rng)
        return Stream(samples, told, (whole(classes, self.samples),))

    def figures(self, curves: Mapping[str, Curve]) -> dict[str, Figure]:
        """The end, beside the start, and the worst on the way."""
        curve = curves["all"]
        found = course(curve)
        del found["frozen_end"]  # the start
        return found | {"lowest": mean(curve.points.min(axis=1), "accuracy")}
