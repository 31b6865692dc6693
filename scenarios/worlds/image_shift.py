"""Drift of what the camera shows: the same things come to look otherwise, while the device learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from scenarios.base import Curve, Order, Probe, Stream, Truth
from scenarios.field import Samples
from scenarios.look import Kind, Look
from scenarios.measures import change, course
from scenarios.worlds.world import World
from tinyml_nas.types import DataCounts, Figure

MOST_CLASSES = 127
"""Classes whose images are told apart by two numbers each, as they were and as they look now, in a byte."""


@dataclass(frozen=True, kw_only=True)
class ImageShift(World):
    """From one sample of the stream on, images are darker, brighter, blurred or noisy; labels stay right.

    Held-out images are asked for twice: as they look after the shift, and as they were before. How well the first
    are told is what counts; the second say what learning them cost. Knobs are tuned on both alike.

    Args:
        shift_at: Index (from 0) of the first sample that looks otherwise; at least one comes before. 0: an eighth
            of the stream comes before.
        kind: What happens to the images; see ``scenarios.look.Look``.
        strength: How much of it, above 0 and at most 1.
    """

    shift_at: int = 100
    kind: Kind = "darker"
    strength: float = 0.6

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shift_at < 0 or 0 < self.samples <= self.shift_at:
            raise ValueError(
                f"scenario.shift_at: must be 0 or below scenario.samples ({self.samples}); got {self.shift_at}"
            )
        if not 0 < self.strength <= 1:
            raise ValueError(
                f"scenario.strength: must be above 0 and at most 1; got {self.strength}"
            )

    @property
    def look(self) -> Look:
        """What comes of the images."""
        return Look(self.kind, self.strength)

    def fitted(self, data: DataCounts, field: DataCounts) -> Self:
        """With a stream as the field's images allow, and a shift in it."""
        world = super().fitted(data, field)
        return replace(world, shift_at=self.shift_at or max(1, world.samples // 8))

    def check(self, data: DataCounts, field: DataCounts) -> None:
        """Refuse other classes than the network's, too many of them, and too few images."""
        super().check(data, field)
        if field.classes > MOST_CLASSES:
            raise ValueError(
                f"scenario: a shift of images is measured of at most {MOST_CLASSES} classes; dataset has "
                f"{field.classes}"
            )

    def stream(self, pool: Samples, classes: int, order: Order, rng: np.random.Generator) -> Stream:
        """Draw images, each as it looks when it comes: ``pool`` has them in pairs, see ``field.paired``."""
        ranking = rng.spawn(1)[0].permutation(classes)
        chosen = order.choose(pool.labels[::2], self.samples, ranking, rng)
        samples = pool[2 * chosen + (np.arange(self.samples) >= self.shift_at)]
        own = np.arange(2 * classes, dtype=np.uint8) % classes
        told = order.tell(own[samples.labels], np.ones((self.samples, classes), np.bool_), rng)
        truth = Truth(own[np.newaxis].astype(np.uint8), np.ones((self.samples, 1)))
        probes = (
            Probe("shifted", tuple(range(classes, 2 * classes)), truth),
            Probe("clean", tuple(range(classes)), truth),
        )
        return Stream(samples, told, probes)

    def figures(self, curves: Mapping[str, Curve]) -> dict[str, Figure]:
        """The end of the images that come now, what the shift did, and the end of images as they were."""
        shifted, clean = curves["shifted"], curves["clean"]
        came = np.where(np.arange(self.samples) < self.shift_at, clean.points, shifted.points)
        found, before = course(shifted), course(clean)
        return {
            "end": found["end"],
            "clean_end": before["end"],
            "start": before["start"],
            "frozen_end": found["frozen_end"],
        } | change(came, self.shift_at, self.shift_at, self.samples)
