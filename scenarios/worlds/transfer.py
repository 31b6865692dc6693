"""Transfer learning (thesis, section 4.3.3): another task, from the first labelled sample on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scenarios.base import Curve, Rows
from scenarios.field import check_size
from scenarios.measures import course, mean
from scenarios.worlds.world import World
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
        needs: tuple[tuple[str, int, SplitName], ...] = (
            ("samples", self.samples, self.pool),
            ("curve_images", self.curve_images, "test"),
        )
        for key, needed, split in needs:
            if field.count(split) < needed:
                raise ValueError(
                    f"scenario.{key}: must be at most {field.count(split)}, the images of the split "
                    f"{split} of dataset@field; got {needed}"
                )

    def rows(self, data: DataCounts, field: DataCounts) -> Rows:
        """Nothing is known."""
        return ()

    def new_classes(self, field: DataCounts) -> tuple[int, ...]:
        """All."""
        return tuple(range(field.classes))

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
