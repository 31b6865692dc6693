"""Recursive least squares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from codegen.buffers.base import Shape
from codegen.learners.alarm import ALARM
from codegen.learners.base import FLOAT_BYTES, Factory, Floats, Knob, opened
from codegen.learners.closed_form import (
    LEAST_PRIOR,
    MOST_MEMORY,
    CovarianceForm,
    centred,
    centred_bytes,
    memory_knob,
    most_variance,
    needed,
)
from codegen.learners.statistics import (
    Array,
    Statistics,
    inverse,
    packed,
    packed_bytes,
    shrunk,
)

MEMORIES = (100.0, 300.0, 1000.0, 3000.0)
PRIORS = (100.0, 300.0, 1000.0, 3000.0)


@dataclass(frozen=True)
class Rls(CovarianceForm):
    """Recursive least squares on one-hot labels: a ridge regression that forgets.

    ``memory`` is in samples: the forgetting factor is 1 - 1 / memory. With ``class_weights`` a sample
    weighs as much as its class is rare. The prior is the training features' second moment around the
    factory's head; it counts as ``prior_samples`` samples, which can be set as well: statistics are kept
    in units of the prior. A regression over all that came is slow to give up what a class meant: ``alarm``
    lets it. RAM has (F + 1) (F + 2) / 2 floats beside the head.
    """

    memory: float = 1000.0
    prior_samples: float = 3000.0
    class_weights: bool = True
    alarm: float | None = ALARM

    NAME: ClassVar[str] = "Rls"
    HEADER: ClassVar[str] = "rls.hpp"

    def extra_floats(self, shape: Shape) -> int:
        """Counts, and the inverse moment."""
        return shape.classes + packed_bytes(shape.features + 1) // FLOAT_BYTES

    def scratch_bytes(self, shape: Shape) -> int:
        """Input and gain."""
        return 2 * FLOAT_BYTES * (shape.features + 1)

    def multiply_adds(self, shape: Shape) -> int:
        """Of a triangle: half a square for the gain, a whole one for the update; logits and the head."""
        return 3 * (shape.features + 1) ** 2 // 2 + 2 * shape.features * shape.classes

    def flash(self, shape: Shape) -> int:
        """Mean and unit of the features, a bound, and the inverse moment."""
        return centred_bytes(shape) + FLOAT_BYTES + packed_bytes(shape.features + 1)

    def constant_bytes(self, shape: Shape) -> int:
        """Mean and unit of the features, and the bound."""
        return centred_bytes(shape) + FLOAT_BYTES

    def factory(
        self, weights: Floats, bias: Floats, classes: int, statistics: Statistics | None
    ) -> Factory:
        """The factory's head, as large as a regression's would be, and the features' second moment."""
        known = needed(statistics)
        head = _as_regression(weights.astype(np.float64), bias.astype(np.float64), known)
        first = opened(head[0].astype(np.float32), head[1].astype(np.float32), classes)
        moment = np.eye(len(known.mean) + 1)  # of features less their mean, and of 1
        centred_second = known.second - np.outer(known.mean, known.mean)
        moment[:-1, :-1] = known.unit**2 * centred_second
        triangle = packed(inverse(shrunk(moment, self.shrinkage)))
        arrays = {
            **centred(known)[1],
            "MostVariance": most_variance(triangle[: len(moment)]),
            "Inverse": triangle,
        }
        return Factory(first.weights, first.bias, arrays)

    def constants(self) -> Mapping[str, str]:
        """Whether classes count alike."""
        return {"bool kClassWeights": "true" if self.class_weights else "false"}

    def own_knobs(self) -> tuple[Knob, ...]:
        """The memory, and what the factory counts as."""
        prior = Knob("prior_samples", self.prior_samples, LEAST_PRIOR, MOST_MEMORY, PRIORS)
        return memory_knob("memory", self.memory, MEMORIES), prior


def _as_regression(weights: Array, bias: Array, known: Statistics) -> tuple[Array, Array]:
    """The head (C, F), (C,) times a number and with the mean logit taken away: the same predictions.

    The number is the one that fits the logits to one-hot labels best, in the least squares, given the
    features' moments.
    """
    classes = len(bias)
    if not classes:
        return weights, bias
    weights, bias = weights - weights.mean(axis=0), bias - bias.mean()
    hits = (
        np.sum(weights * known.means, axis=1) + bias
    )  # the mean logit of a class on its own samples
    everywhere = weights @ known.mean + bias
    product = float(known.shares @ hits - everywhere.sum() / classes)
    square = float(
        np.sum((weights @ known.second) * weights) + 2 * bias @ (weights @ known.mean) + bias @ bias
    )
    factor = product / square if square > 0 and product > 0 else 0.0
    return factor * weights, factor * bias + 1 / classes
