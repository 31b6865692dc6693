"""Samples of which half the classes are rare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenarios.driver import Labels
from scenarios.field import Indices
from scenarios.streams.truthful import Truthful


@dataclass(frozen=True)
class Imbalanced(Truthful):
    """Half of the classes come ``ratio`` times as often as the others; which ones is drawn for each stream.

    Where a class has fewer images than it gives, as in the embedded sample, they come again.
    """

    ratio: float = 10.0

    def __post_init__(self) -> None:
        if not 1 <= self.ratio <= 1e6:
            raise ValueError(f"stream.ratio: must be from 1 to 1e6; got {self.ratio}")

    def choose(
        self, labels: Labels, samples: int, ranking: Indices, rng: np.random.Generator
    ) -> Indices:
        """Independent draws of a class, and of each class its images in random order."""
        present = ranking[np.isin(ranking, labels)]
        weights = np.where(np.isin(present, ranking[: len(ranking) // 2]), self.ratio, 1.0)
        drawn = rng.choice(present, samples, p=weights / weights.sum())
        chosen = np.empty(samples, np.int64)
        for number in present:
            places = np.flatnonzero(drawn == number)
            images = np.flatnonzero(labels == number)
            rounds = -(-len(places) // len(images))
            several = [rng.permutation(images) for _ in range(rounds)]
            chosen[places] = np.concatenate([*several, images[:0]])[: len(places)]
        return chosen
