"""Transfer learning (thesis, section 4.3.3): another task, from the first labelled sample on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scenarios.base import Curve, Order, Rows, Stream
from scenarios.field import Samples, check_size
from scenarios.measures import course, mean
from scenarios.worlds.world import World, whole
from tinyml_nas.types import DataCounts, Figure, SplitName


@dataclass(frozen=True, kw_only=True)
class Transfer(World):
    """The extractor stays, the head starts blank, and labelled images of another data set come.

    Streams come from the other data set's training images, scores from its test images; knobs are tuned
    on its validation images.
    """

    samples: int = 700

    @property
    def pool(self) -> SplitName:
        """Nothing was trained on these: the extractor comes from another data set."""
        return "train"

    def check(self, data: DataCounts, field: DataCounts) -> None:
        """Refuse the data set that the network was trained on, and too few images."""
        shared = set(data.class_names) & set(field.class_names)
        if shared:
            raise ValueError(
                "scenario: transfer needs a data set that the network was not trained on, as "
                f"dataset@field=imagenette; this one has {', '.join(sorted(shared))} too"
            )
        check_size(field.count("validation"), self.samples, self.curve_images)
        for key, name in (("samples", "train"), ("curve_images", "test")):
            if field.count(name) < getattr(self, key):  # type: ignore[arg-type]  # two literals
                raise ValueError(
                    f"scenario.{key}: must be at most {field.count(name)}, the images of the split "  # type: ignore[arg-type]
                    f"{name} of dataset@field; got {getattr(self, key)}"
                )

    def rows(self, data: DataCounts, field: DataCounts) -> Rows:
        """Nothing is known."""
        return ()

    def new_classes(self, field: DataCounts) -> tuple[int, ...]:
        """All."""
        return tuple(range(field.classes))

    def stream(self, pool: Samples, classes: int, order: Order, rng: np.random.Generator) -> Stream:
        """Draw labelled images; nothing else changes."""
        ranking = rng.spawn(1)[0].permutation(classes)
        samples = pool[order.choose(pool.labels, self.samples, ranking, rng)]
        told = order.tell(samples.labels, np.ones((self.samples, classes), np.bool_), rng)
        return Stream(samples, told, (whole(classes, self.samples),))

    def figures(self, curves: Mapping[str, Curve]) -> dict[str, Figure]:
        """The end, and the mean on the way: how fast it was learned."""
        curve = curves["all"]
        found = course(curve)
        return {
            "end": found["end"],
            "end_as_published": found["end_as_published"],
            "on_the_way": mean(curve.points.mean(axis=1), "accuracy"),
            "start": found["start"],
        }
