"""Concept drift (thesis, section 4.3.1): two classes swap their meaning while the device learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.base import Curve, Order, Probe, Stream, Truth
from scenarios.field import Samples
from scenarios.measures import change, course
from scenarios.worlds.world import World
from tinyml_nas.types import DataCounts, Figure


@dataclass(frozen=True, kw_only=True)
class ConceptDrift(World):
    """Two classes are swapped from one sample of the stream on, in the stream and in what is scored.

    The drift is abrupt where ``transition`` is 0. Else it is gradual: the samples that follow come by the
    new meaning more and more often, and a score is the mean of both by the same shares.

    Args:
        drift_at: Index (from 0) of the first sample with swapped labels; at least one comes before.
        swapped: The two classes.
        transition: Samples over which the old meaning fades.
        period: Samples after which the old meaning is back, and then the new one again; None: never.
    """

    drift_at: int = 100
    swapped: tuple[int, int] = (4, 6)
    transition: int = 0
    period: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples < 1:
            raise ValueError(f"scenario.samples: must be at least 1; got {self.samples}")
        if not 1 <= self.drift_at < self.samples:
            raise ValueError(
                f"scenario.drift_at: must be from 1 to scenario.samples - 1 ({self.samples - 1}); "
                f"got {self.drift_at}"
            )
        if min(self.swapped) < 0 or self.swapped[0] == self.swapped[1]:
            raise ValueError(
                f"scenario.swapped: must be two different classes; got {list(self.swapped)}"
            )
        if self.period is not None and not 1 <= self.period < self.samples:
            raise ValueError(
                f"scenario.period: must be null or from 1 to scenario.samples - 1 "
                f"({self.samples - 1}); got {self.period}"
            )
        if not 0 <= self.transition < self._until - self.drift_at:
            raise ValueError(
                "scenario.transition: must be 0 or more and over before the stream ends, or the old "
                f"meaning is back: below {self._until - self.drift_at}; got {self.transition}"
            )

    @property
    def _until(self) -> int:
        """Index of the sample with which the new meaning ends."""
        lasts = self.samples if self.period is None else self.drift_at + self.period
        return min(lasts, self.samples)

    def check(self, data: DataCounts, field: DataCounts) -> None:
        """Refuse classes that there are not, and too few images."""
        super().check(data, field)
        if max(self.swapped) >= field.classes:
            raise ValueError(
                f"scenario.swapped: must be two of the classes 0 to {field.classes - 1}; "
                f"got {list(self.swapped)}"
            )

    def share(self) -> npt.NDArray[np.float64]:
        """How much of the world (T,) the new meaning holds when each sample comes."""
        since = np.arange(self.samples) - self.drift_at
        period = self.period or self.samples
        turn, within = np.divmod(since, period)
        ramp = np.clip((within + 1) / (self.transition + 1), 0, 1)
        return np.where(since < 0, 0.0, np.where(turn % 2 == 0, ramp, 1 - ramp))

    def stream(self, pool: Samples, classes: int, order: Order, rng: np.random.Generator) -> Stream:
        """Draw a stream whose labels change their meaning."""
        ranking = rng.spawn(1)[0].permutation(classes)
        samples = pool[order.choose(pool.labels, self.samples, ranking, rng)]
        own = np.arange(classes, dtype=np.uint8)
        other = own.copy()
        other[list(self.swapped)] = self.swapped[::-1]
        share = self.share()
        is_new = rng.random(self.samples) < share
        right = np.where(is_new, other[samples.labels], samples.labels)
        told = order.tell(right, np.ones((self.samples, classes), np.bool_), rng)
        truth = Truth(np.stack([own, other]), np.stack([1 - share, share], axis=1))
        return Stream(samples, told, (Probe("all", tuple(range(classes)), truth),))

    def figures(self, curves: Mapping[str, Curve]) -> dict[str, Figure]:
        """The end, and what the first drift did."""
        curve, settled = curves["all"], self.drift_at + self.transition
        return course(curve) | change(curve.points, self.drift_at, settled, self._until)
