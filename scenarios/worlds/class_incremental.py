"""Incremental learning (thesis, section 4.3.2): classes join that the network has never seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from scenarios.base import Curve, Order, Probe, Rows, Stream
from scenarios.field import Samples
from scenarios.measures import change, course
from scenarios.worlds.world import World, constant, whole
from tinyml_nas.types import DataCounts, Figure, SplitName


@dataclass(frozen=True, kw_only=True)
class ClassIncremental(World):
    """Some classes come from one sample of the stream on; the device knows the others when it ships.

    Old and new classes are scored apart. A figure of new classes says something only where the
    extractor has not seen them: train it on the others alone (``dataset.only_classes``).

    Args:
        join_at: Index (from 0) of the first sample that may be of a new class; at least one comes before. 0: a
            seventh of the stream comes before.
        joining: The new classes: the field's last ones, as a device numbers classes as it learns them. Empty: those that
            the network has not seen, or where it knows all, the last fifth, at least one.
    """

    samples: int = 700
    join_at: int = 100
    joining: tuple[int, ...] = (8, 9)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.join_at < 0 or 0 < self.samples <= self.join_at:
            raise ValueError(
                f"scenario.join_at: must be 0 or below scenario.samples ({self.samples}); got {self.join_at}"
            )
        if min(self.joining, default=0) < 0 or len(set(self.joining)) < len(self.joining):
            raise ValueError(
                f"scenario.joining: must be different classes; got {list(self.joining)}"
            )

    def fitted(self, data: DataCounts, field: DataCounts) -> Self:
        """With a stream as the field's images allow, classes that join, and when."""
        world = super().fitted(data, field)
        names = field.class_names
        unseen = [number for number, name in enumerate(names) if name not in data.class_names]
        last = range(field.classes - max(1, field.classes // 5), field.classes)
        return replace(
            world,
            join_at=self.join_at or max(1, world.samples // 7),
            joining=self.joining or tuple(unseen or last),
        )

    def check(self, data: DataCounts, field: DataCounts) -> None:
        """Refuse a network that does not know the old classes, and too few images."""
        last = tuple(range(field.classes - len(self.joining), field.classes))
        if tuple(sorted(self.joining)) != last or len(self.joining) > field.classes - 2:
            raise ValueError(
                f"scenario.joining: must be the last of the classes 0 to {field.classes - 1} and leave "
                f"two; got {list(self.joining)}"
            )
        old = [field.class_names[number] for number in self._old(field.classes)]
        if not set(old) <= set(data.class_names):
            raise ValueError(
                "scenario.joining: the network must know all other classes when it ships, "
                f"{', '.join(old)}; dataset has {', '.join(data.class_names)}"
            )
        self.check_images(field)
        splits: tuple[SplitName, ...] = ("validation", "test")
        for split in splits:
            # A pool has its share of the old classes, or nearly so.
            images, pool = field.count(split), max(field.count(split) // 2, self.samples)
            known = sum(field.count(split, number) for number in self._old(field.classes))
            share = pool * known // images
            if share < self.join_at:
                raise ValueError(
                    f"scenario.join_at: must be at most {share}, the images of old classes that a "
                    f"stream can be drawn from; got {self.join_at}"
                )

    def rows(self, data: DataCounts, field: DataCounts) -> Rows:
        """The network's own rows for the old classes; new ones are unknown, even where it has seen them."""
        old = self._old(field.classes)
        return tuple(data.class_names.index(field.class_names[number]) for number in old)

    def new_classes(self, field: DataCounts) -> tuple[int, ...]:
        """Those that join."""
        return self.joining

    def stream(self, pool: Samples, classes: int, order: Order, rng: np.random.Generator) -> Stream:
        """Draw the old classes first, then from all that is left."""
        ranking = rng.spawn(1)[0].permutation(classes)
        old = np.flatnonzero(~np.isin(pool.labels, self.joining))
        first = old[order.choose(pool.labels[old], self.join_at, ranking, rng)]
        left = np.setdiff1d(np.arange(len(pool)), first)
        rest = self.samples - self.join_at
        then = left[order.choose(pool.labels[left], rest, ranking, rng)]
        samples = pool[np.concatenate([first, then])]
        known = np.ones((self.samples, classes), np.bool_)
        known[: self.join_at, self.joining] = False
        told = order.tell(samples.labels, known, rng)
        truth = constant(classes, self.samples)
        probes = (
            whole(classes, self.samples),
            Probe("new", self.joining, truth),
            Probe("old", self._old(classes), truth),
        )
        return Stream(samples, told, probes)

    def figures(self, curves: Mapping[str, Curve]) -> dict[str, Figure]:
        """The end of new and old classes apart, and what the new ones did to the old."""
        old = course(curves["old"]) | change(
            curves["old"].points, self.join_at, self.join_at, self.samples
        )
        new, together = course(curves["new"]), course(curves["all"])
        return {
            "new_end": new["end"],
            "old_end": old["end"],
            "end": together["end"],
            "new_end_as_published": new["end_as_published"],
            "old_end_as_published": old["end_as_published"],
            "old_start": old["start"],
            "old_before": old["before"],
            "old_lowest": old["lowest"],
            "frozen_end": together["frozen_end"],
        }

    def _old(self, classes: int) -> tuple[int, ...]:
        return tuple(number for number in range(classes) if number not in self.joining)
