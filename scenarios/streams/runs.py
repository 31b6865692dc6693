"""Samples in runs of one class: a device sees the same thing for a while, then another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenarios.driver import Labels
from scenarios.field import Indices
from scenarios.streams.truthful import Truthful


@dataclass(frozen=True)
class Runs(Truthful):
    """Rounds of all classes in random order, each with ``length`` images in a row.

    A run is shorter only where a class has no images left, or the stream ends.
    """

    length: int = 20

    def __post_init__(self) -> None:
        if not self.length >= 1:
            raise ValueError(f"stream.length: must be at least 1; got {self.length}")

    def choose(
        self, labels: Labels, samples: int, ranking: Indices, rng: np.random.Generator
    ) -> Indices:
        """Each image at most once."""
        shuffled = rng.permutation(len(labels))
        left = [shuffled[labels[shuffled] == number] for number in range(len(ranking))]
        runs: list[Indices] = []
        count = 0
        while count < samples:
            for number in rng.permutation(len(ranking)):
                run, left[number] = left[number][: self.length], left[number][self.length :]
                runs.append(run)
                count += len(run)
        return np.concatenate(runs)[:samples]
