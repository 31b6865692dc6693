"""Concept drift (thesis, section 4.3.1): two classes swap their meaning while the device learns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenarios.driver import Driver, Labels, Progress
from scenarios.protocol import accuracy, deviation, run_streams
from scenarios.stream import Samples, check_size, divide
from tinyml_nas.types import DataCounts


@dataclass(frozen=True)
class ConceptDriftResult:
    """What the drift did, as accuracies in [0, 1]. JSON-able with ``dataclasses.asdict``.

    Attributes:
        end: After the last sample, on all ``score_images`` held-out images, of each repetition.
        end_mean: Mean of ``end``, with ``end_deviation`` (n - 1) over the repetitions.
        frozen_before: On the same images without any learning, before the drift.
        frozen_end: Without any learning, after the drift.
        before_drift: Mean over repetitions just before the drift, on ``curve_images`` images.
        lowest: Mean over repetitions of the lowest point from the drift on, on the same images.
        curve: Mean over repetitions after each sample, on the same images.
    """

    end: tuple[float, ...]
    end_mean: float
    end_deviation: float
    frozen_before: float
    frozen_end: float
    before_drift: float
    lowest: float
    curve: tuple[float, ...]
    samples: int
    drift_at: int
    repetitions: int
    score_images: int
    curve_images: int
    seed: int


@dataclass(frozen=True)
class ConceptDrift:
    """Two classes are swapped at one sample of the stream, in the stream and in what is scored.

    Args:
        samples: Length of a stream.
        drift_at: Index (from 0) of the first sample with swapped labels; at least one comes before.
        swapped: The two classes.
        repetitions: Streams, each a different draw.
        curve_images: Held-out images scored after every sample.
    """

    samples: int = 800
    drift_at: int = 100
    swapped: tuple[int, int] = (4, 6)
    repetitions: int = 5
    curve_images: int = 200

    def __post_init__(self) -> None:
        if not 1 <= self.drift_at < self.samples:
            raise ValueError(
                f"scenario.drift_at: must be from 1 to scenario.samples - 1 ({self.samples - 1}); "
                f"got {self.drift_at}"
            )
        if min(self.swapped) < 0 or self.swapped[0] == self.swapped[1]:
            raise ValueError(
                f"scenario.swapped: must be two different classes; got {list(self.swapped)}"
            )
        for key in ("repetitions", "curve_images"):
            if getattr(self, key) < 1:
                raise ValueError(f"scenario.{key}: must be at least 1; got {getattr(self, key)}")

    def check(self, data: DataCounts) -> None:
        """Refuse a data set that this scenario cannot run on; reads no data.

        Raises:
            ValueError: naming the config key.
        """
        self._check(data.classes, min(data.count("validation"), data.count("test")))

    def _check(self, classes: int, images: int) -> None:
        if max(self.swapped) >= classes:
            raise ValueError(
                f"scenario.swapped: must be two of the classes 0 to {classes - 1}; "
                f"got {list(self.swapped)}"
            )
        check_size(images, self.samples, self.curve_images)

    def labels_at(self, labels: Labels, sample: int) -> Labels:
        """Swap the two classes in ``labels`` (N,) if the drift has come by this sample."""
        if sample < self.drift_at:
            return labels
        first, second = self.swapped
        return np.where(labels == first, second, np.where(labels == second, first, labels)).astype(
            labels.dtype
        )

    def run(
        self, driver: Driver, split: Samples, seed: int, progress: Progress | None = None
    ) -> ConceptDriftResult:
        """Drive the program through the drift as it ships, at the learning rate baked in.

        Args:
            driver: The generated program, built for the host.
            split: All samples of the test split, in its own order.
            seed: Fixes the streams.
            progress: Called with the streams done and the streams in all.

        Raises:
            ValueError: the split is too small, or lacks a swapped class; see ``check``.
        """
        self._check(int(split.labels.max(initial=0)) + 1, len(split))
        score = divide(split, self.samples, self.curve_images).score
        driver.reset()
        frozen_before = accuracy(driver, score, score.labels)
        frozen_end = accuracy(driver, score, self.labels_at(score.labels, self.samples - 1))
        repetitions = run_streams(self, driver, split, seed, progress)
        curves = np.array([repetition.curve for repetition in repetitions])
        end = tuple(repetition.end for repetition in repetitions)
        return ConceptDriftResult(
            end=end,
            end_mean=float(np.mean(end)),
            end_deviation=deviation(end),
            frozen_before=frozen_before,
            frozen_end=frozen_end,
            before_drift=float(curves[:, self.drift_at - 1].mean()),
            lowest=float(curves[:, self.drift_at :].min(axis=1).mean()),
            curve=tuple(curves.mean(axis=0).tolist()),
            samples=self.samples,
            drift_at=self.drift_at,
            repetitions=self.repetitions,
            score_images=len(score),
            curve_images=self.curve_images,
            seed=seed,
        )
