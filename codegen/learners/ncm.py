"""The nearest class mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from codegen.buffers.base import Shape
from codegen.learners.base import Factory, Floats
from codegen.learners.closed_form import ClosedForm, centred, centred_bytes, discriminant, needed
from codegen.learners.statistics import Statistics


@dataclass(frozen=True)
class Ncm(ClosedForm):
    """The nearest class mean (Mensink et al. 2013), with means that forget.

    ``memory`` is theirs, in samples of a class. F floats of flash and F of RAM beside the head.
    """

    NAME: ClassVar[str] = "Ncm"
    HEADER: ClassVar[str] = "ncm.hpp"

    def multiply_adds(self, shape: Shape) -> int:
        """Logits, the features' units, and one mean that moves."""
        return shape.features * (shape.classes + 4)

    def flash(self, shape: Shape) -> int:
        """Mean and unit of the features."""
        return centred_bytes(shape)

    def constant_bytes(self, shape: Shape) -> int:
        """All of these."""
        return self.flash(shape)

    def factory(
        self, weights: Floats, bias: Floats, classes: int, statistics: Statistics | None
    ) -> Factory:
        """The means of the training features."""
        known = needed(statistics)
        means, constants = centred(known)
        return Factory(*discriminant(means, means, known, classes), constants)
