"""Samples in random order: what published figures assume, and no device meets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenarios.driver import Labels
from scenarios.field import Indices
from scenarios.streams.truthful import Truthful


@dataclass(frozen=True)
class Shuffled(Truthful):
    """Each image comes once at most, whatever came before."""

    def choose(
        self, labels: Labels, samples: int, ranking: Indices, rng: np.random.Generator
    ) -> Indices:
        """A random part of the images, in random order."""
        return rng.permutation(len(labels))[:samples]
