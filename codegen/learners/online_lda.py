"""Linear discriminant analysis with a covariance that is learnt on the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from codegen.buffers.base import Shape
from codegen.learners.base import FLOAT_BYTES, Factory, Floats, Knob
from codegen.learners.closed_form import (
    CovarianceForm,
    centred,
    centred_bytes,
    memory_knob,
    most_variance,
    needed,
)
from codegen.learners.lda import Lda
from codegen.learners.statistics import Statistics, packed_bytes


@dataclass(frozen=True)
class OnlineLda(CovarianceForm):
    """Streaming LDA (Hayes and Kanan 2020): class means and covariance, both learnt, both forgetting.

    ``memory`` is the means', in samples of a class; ``covariance_memory`` the covariance's, in samples.
    RAM has F (F + 1) / 2 floats for its inverse and F for each class's mean beside the head.
    """

    covariance_memory: float = 3000.0

    NAME: ClassVar[str] = "OnlineLda"
    HEADER: ClassVar[str] = "online_lda.hpp"

    def extra_floats(self, shape: Shape) -> int:
        """Counts, the class that is next, means, and the inverse covariance."""
        triangle = packed_bytes(shape.features) // FLOAT_BYTES
        return shape.classes + 1 + shape.classes * shape.features + triangle

    def scratch_bytes(self, shape: Shape) -> int:
        """Two vectors."""
        return FLOAT_BYTES * 2 * shape.features

    def multiply_adds(self, shape: Shape) -> int:
        """Of a triangle: half a square for U' x, a whole one for the update, one for P x."""
        return 5 * shape.features**2 // 2 + 4 * shape.features * shape.classes

    def flash(self, shape: Shape) -> int:
        """Mean and unit of the features, a bound, class means, and the inverse covariance."""
        means = FLOAT_BYTES * (1 + shape.classes * shape.features)
        return centred_bytes(shape) + means + packed_bytes(shape.features)

    def constant_bytes(self, shape: Shape) -> int:
        """Mean and unit of the features, and the bound."""
        return centred_bytes(shape) + FLOAT_BYTES

    def factory(
        self, weights: Floats, bias: Floats, classes: int, statistics: Statistics | None
    ) -> Factory:
        """As ``Lda`` starts, with the means by themselves: these and the covariance will move."""
        lda = Lda(shrinkage=self.shrinkage).factory(weights, bias, classes, statistics)
        means, _ = centred(needed(statistics))
        missing = classes - len(means)
        variances = lda.arrays["Precision"][: weights.shape[1]].astype(np.float32)  # the diagonal
        arrays = {
            **lda.arrays,
            "MostVariance": most_variance(variances),
            "Means": np.pad(means, ((0, missing), (0, 0))).astype(np.float32),
        }
        return Factory(lda.weights, lda.bias, arrays)

    def own_knobs(self) -> tuple[Knob, ...]:
        """Both memories."""
        grid = (1000.0, 3000.0, 10000.0)
        covariance = memory_knob("covariance_memory", self.covariance_memory, grid)
        return (*super().own_knobs(), covariance)
