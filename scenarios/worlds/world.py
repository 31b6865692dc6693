"""What all worlds have: a length, repetitions, and held-out images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from scenarios.base import Order, Probe, Rows, Stream, Truth
from scenarios.field import Samples, check_size, images_needed
from scenarios.look import Look
from tinyml_nas.types import DataCounts, SplitName

LEAST_OF_A_CLASS = 2
"""Images of a class in a split: one for streams, one for scores."""


@dataclass(frozen=True, kw_only=True)
class World:
    """How long a stream is, and how closely it is watched.

    Args:
        samples: Length of a stream. 0: as the class has it, or half of the images where that is more than there are;
            then ``curve_images`` are at most the other half.
        repetitions: Streams of which figures are made, each a different draw.
        tuning_repetitions: Streams of the validation split on which each value of a knob is tried.
        curve_images: Held-out images that are scored after every sample.
    """

    samples: int = 800
    repetitions: int = 20
    tuning_repetitions: int = 5
    curve_images: int = 200

    def __post_init__(self) -> None:
        if self.samples < 0:
            raise ValueError(f"scenario.samples: must be 0 or more; got {self.samples}")
        for key in ("repetitions", "tuning_repetitions", "curve_images"):
            if getattr(self, key) < 1:
                raise ValueError(f"scenario.{key}: must be at least 1; got {getattr(self, key)}")

    @property
    def pool(self) -> SplitName:
        """A device sees images that nothing was trained or tuned on."""
        return "test"

    @property
    def look(self) -> Look | None:
        """Images look as they are."""
        return None

    def fitted(self, data: DataCounts, field: DataCounts) -> Self:
        """With a stream as the field's images allow."""
        if self.samples:
            return self
        images = min(field.count("validation"), field.count("test"))
        samples, watched = type(self).samples, self.curve_images
        if images < images_needed(samples, watched):
            samples = max(1, images // 2)
            watched = max(1, min(watched, images - samples))
        return replace(self, samples=samples, curve_images=watched)

    def check(self, data: DataCounts, field: DataCounts) -> None:
        """Refuse a field of other classes than the network's, or of too few images."""
        if field.class_names != data.class_names:
            raise ValueError(
                "scenario: the device works where the network was trained: dataset@field must have "
                f"the classes of dataset, {', '.join(data.class_names)}; it has "
                f"{', '.join(field.class_names)}"
            )
        self.check_images(field)

    def check_images(self, field: DataCounts) -> None:
        """Refuse splits that are too small for a stream and its scores."""
        smallest = min(field.count("validation"), field.count("test"))
        check_size(smallest, self.samples, self.curve_images)
        splits: tuple[SplitName, ...] = ("validation", "test")
        for split in splits:
            for number, name in enumerate(field.class_names):
                if field.count(split, number) < LEAST_OF_A_CLASS:
                    raise ValueError(
                        f"scenario: needs at least {LEAST_OF_A_CLASS} images of each class in the splits validation "
                        f"and test, to learn from and to score; {name} has {field.count(split, number)} in "
                        f"{split}; scenario=none goes without"
                    )

    def rows(self, data: DataCounts, field: DataCounts) -> Rows:
        """The head as it ships."""
        return tuple(range(data.classes))

    def new_classes(self, field: DataCounts) -> tuple[int, ...]:
        """None."""
        return ()

    def stream(self, pool: Samples, classes: int, order: Order, rng: np.random.Generator) -> Stream:
        """Draw labelled images of a world in which nothing changes."""
        ranking = rng.spawn(1)[0].permutation(classes)
        samples = pool[order.choose(pool.labels, self.samples, ranking, rng)]
        told = order.tell(samples.labels, np.ones((self.samples, classes), np.bool_), rng)
        return Stream(samples, told, (whole(classes, self.samples),))


def whole(classes: int, samples: int) -> Probe:
    """The question for all classes, where each keeps its own label."""
    return Probe("all", tuple(range(classes)), constant(classes, samples))


def constant(classes: int, samples: int) -> Truth:
    """Each class has its own label all along."""
    return Truth(np.arange(classes, dtype=np.uint8)[np.newaxis], np.ones((samples, 1)))
