"""Samples of which some are told wrong: people err."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.driver import Labels
from scenarios.streams.shuffled import Shuffled


@dataclass(frozen=True)
class NoisyLabels(Shuffled):
    """In random order; a share of the labels is wrong: another class that is known by then, each as likely."""

    share: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"stream.share: must be in [0, 1]; got {self.share}")

    def tell(
        self, labels: Labels, known: npt.NDArray[np.bool_], rng: np.random.Generator
    ) -> Labels:
        """The right class, or a wrong one."""
        others = known.copy()
        others[np.arange(len(labels)), labels] = False
        wrong = np.where(others, rng.random(others.shape), -1.0).argmax(axis=1)
        told = np.where(rng.random(len(labels)) < self.share, wrong, labels)
        return told.astype(labels.dtype)
