"""What a scenario is made of: a world that changes, an order in which its samples come, and what is asked.

A world is a function of a pool of images. The loop (``scenarios.run``) draws a ``Stream`` from it for each
repetition, puts every probe's question to the program after every sample, and gives the answers back as
curves, of which the world makes figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scenarios.driver import Labels
from scenarios.field import Indices, Samples
from scenarios.look import Look
from tinyml_nas.types import DataCounts, Figure, SplitName

Rows = tuple[int, ...]
"""Of the first classes of the field, the row of the network's head that each starts from; others are unknown."""


class Order(Protocol):
    """How the samples of a stream come: what ``conf/stream`` chooses."""

    def choose(
        self, labels: Labels, samples: int, ranking: Indices, rng: np.random.Generator
    ) -> Indices:
        """Which of the images with these ``labels`` (N,) come, one after the other: ``samples`` indices.

        ``ranking`` (C,) has all classes, shuffled once for a stream: a class that is rare, or comes
        first, is so in all parts of the stream. ``samples`` is at most N.
        """

    def tell(
        self, labels: Labels, known: npt.NDArray[np.bool_], rng: np.random.Generator
    ) -> Labels:
        """What the device is told where ``labels`` (N,) are right; ``known`` (N, C) says which could be."""


@dataclass(frozen=True, eq=False)
class Truth:
    """Which label is right, after each of T samples: one of K concepts, each with a share of the cases.

    ``labels`` (K, C) has the right label of each class under each concept, ``shares`` (T, K) how much
    of the world a concept holds; rows add up to 1.
    """

    labels: Labels
    shares: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Probe:
    """A question to the program: how many of the held-out images of ``classes`` it gets right."""

    name: str
    classes: tuple[int, ...]
    truth: Truth


@dataclass(frozen=True, eq=False)
class Stream:
    """What happens to a device: ``samples`` (T) as they come, what it is told, and what is asked."""

    samples: Samples
    labels: Labels
    probes: tuple[Probe, ...]


@dataclass(frozen=True, eq=False)
class Curve:
    """What a probe found, an accuracy in [0, 1] for each of R repetitions.

    Attributes:
        points: (R, T) after each sample, on the first of the held-out images.
        start: (R,) before the first sample, on all of them.
        end: (R,) after the last sample, on all of them.
        frozen: (R,) by the truth after the last sample, had the program learned nothing.
    """

    points: npt.NDArray[np.float64]
    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    frozen: npt.NDArray[np.float64]


class Scenario(Protocol):
    """What changes in the world, and how closely it is watched: what ``conf/scenario`` chooses."""

    @property
    def samples(self) -> int:
        """Length of a stream, T."""

    @property
    def repetitions(self) -> int:
        """Streams of which figures are made."""

    @property
    def tuning_repetitions(self) -> int:
        """Streams on which each value of a knob is tried."""

    @property
    def curve_images(self) -> int:
        """Held-out images that are scored after every sample."""

    @property
    def pool(self) -> SplitName:
        """The split of the field's data set that streams come from; scores are of ``test``."""

    @property
    def look(self) -> Look | None:
        """How images come to look; None: as they are. The loop's field has each of them both ways."""

    def fitted(self, data: DataCounts, field: DataCounts) -> Scenario:
        """The same with all that was left open filled in, as these data sets allow."""

    def check(self, data: DataCounts, field: DataCounts) -> None:
        """Refuse data sets that the scenario cannot run on; reads no data.

        ``data`` is what the network was trained on, ``field`` where the device works.

        Raises:
            ValueError: naming the config key.
        """

    def rows(self, data: DataCounts, field: DataCounts) -> Rows:
        """The head that the program starts with, in rows of the network's own."""

    def new_classes(self, field: DataCounts) -> tuple[int, ...]:
        """Classes of the field that the network is meant not to have seen."""

    def stream(self, pool: Samples, classes: int, order: Order, rng: np.random.Generator) -> Stream:
        """Draw a stream: ``pool`` has images of ``classes`` classes, of which ``order`` says how they come."""

    def figures(self, curves: Mapping[str, Curve]) -> dict[str, Figure]:
        """What there is to say of the curves of all probes, by their names."""
