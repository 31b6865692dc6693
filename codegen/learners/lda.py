"""Linear discriminant analysis under the factory's covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from codegen.buffers.base import Shape
from codegen.learners.base import Factory, Floats
from codegen.learners.closed_form import (
    CovarianceForm,
    centred,
    centred_bytes,
    discriminant,
    needed,
)
from codegen.learners.statistics import Statistics, inverse, packed, packed_bytes, shrunk


@dataclass(frozen=True)
class Lda(CovarianceForm):
    """Class means, which forget, in the space that the training features' covariance whitens.

    ``memory`` is the means', in samples of a class. The inverse covariance is F (F + 1) / 2 floats of
    flash; RAM has F floats beside the head.
    """

    NAME: ClassVar[str] = "Lda"
    HEADER: ClassVar[str] = "lda.hpp"

    def multiply_adds(self, shape: Shape) -> int:
        """As of the nearest mean, and a product with the metric."""
        return shape.features**2 + shape.features * (shape.classes + 4)

    def flash(self, shape: Shape) -> int:
        """Mean and unit of the features, and the inverse covariance."""
        return centred_bytes(shape) + packed_bytes(shape.features)

    def constant_bytes(self, shape: Shape) -> int:
        """All of these."""
        return self.flash(shape)

    def factory(
        self, weights: Floats, bias: Floats, classes: int, statistics: Statistics | None
    ) -> Factory:
        """Means and covariance of the training features."""
        known = needed(statistics)
        means, constants = centred(known)
        precision = inverse(shrunk(known.unit**2 * known.within, self.shrinkage))
        head = discriminant(means, means @ precision, known, classes)
        return Factory(*head, {**constants, "Precision": packed(precision)})
