"""Samples class after class: the hardest order for a learner that forgets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenarios.driver import Labels
from scenarios.field import Indices
from scenarios.streams.truthful import Truthful


@dataclass(frozen=True)
class Sorted(Truthful):
    """A random part of the images, one class at a time; which comes first is drawn for each stream."""

    def choose(
        self, labels: Labels, samples: int, ranking: Indices, rng: np.random.Generator
    ) -> Indices:
        """Each image at most once."""
        chosen = rng.permutation(len(labels))[:samples]
        place = np.argsort(ranking)
        return chosen[np.argsort(place[labels[chosen]], kind="stable")]
