"""Incremental learning (thesis, section 4.3.2): classes join that the network has never seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scenarios.base import Curve, Order, Probe, Rows, Stream
from scenarios.field import Samples
from scenarios.measures import change, course
from scenarios.worlds.world import World, constant, whole
from tinyml_nas.types import DataCounts, Figure


@dataclass(frozen=True, kw_only=True)
class ClassIncremental(World):
    """Some classes come from one sample of the stream on; the device knows the others when it ships.

    Old and new classes are scored apart. A figure of new classes says something only where the
    extractor has not seen them: train it on the others alone (``dataset.only_classes``).

    Args:
        join_at: Index (from 0) of the first sample that may be of a new class; at least one comes before.
        joining: The new classes: the field's last ones, as a device numbers classes as it learns them.
    """

    samples: int = 700
    join_at: int = 100
    joining: tuple[int, ...] = (8, 9)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.join_at < self.samples:
            raise ValueError(
                f"scenario.join_at: must be from 1 to scenario.samples - 1 ({self.samples - 1}); "
                f"got {self.join_at}"
            )
        different = len(set(self.joining)) == len(self.joining)
        if not self.joining or min(self.joining) < 0 or not different:
            raise ValueError(
                f"scenario.joining: must be different classes, at least one; got {list(self.joining)}"
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
        for name in ("validation", "test"):
            # Splits have all classes alike, so that a pool has its share of the old ones.
            pool = max(field.count(name) // 2, self.samples)
            share = pool * len(old) // field.classes
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
