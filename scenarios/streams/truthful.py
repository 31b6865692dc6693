"""Streams in which nobody errs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scenarios.driver import Labels


class Truthful:
    """What an order of samples has in common with others that tell the truth."""

    def tell(
        self, labels: Labels, known: npt.NDArray[np.bool_], rng: np.random.Generator
    ) -> Labels:
        """The truth."""
        return labels
