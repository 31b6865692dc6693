"""What the closed forms have in common: they keep statistics, no samples, and need no learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from codegen.buffers.base import Cpp, Shape
from codegen.learners.alarm import alarm_bytes, alarm_code, alarm_knobs, reacting
from codegen.learners.base import (
    FLOAT_BYTES,
    Floats,
    Knob,
    check_classes,
    check_knobs,
    head_bytes,
    opened,
    parts,
)
from codegen.learners.statistics import Array, Statistics, number
from codegen.literals import floating

LEAST_MEMORY, MOST_MEMORY = 2.0, 1e6
LEAST_PRIOR = 1.0
VARIANCE_ROOM = 10.0
"""How much larger a matrix that is learnt may become than the factory's is where it is largest."""
MEMORIES = (5.0, 10.0, 20.0, 50.0, 200.0)


@dataclass(frozen=True)
class ClosedForm:
    """Base of the learners in this folder that keep statistics.

    Args:
        memory: How many samples something that forgets remembers.
        prior_samples: How many samples of the field the factory's statistics count as.
        max_classes: Classes that are compiled in, None for those of the first head.
        alarm: Mistakes, beyond what is usual for a class, after which it is taken as new; None never.
    """

    memory: float = 20.0
    prior_samples: float = 20.0
    max_classes: int | None = None
    alarm: float | None = None

    NAME: ClassVar[str]
    HEADER: ClassVar[str]

    def __post_init__(self) -> None:
        if not LEAST_PRIOR <= self.prior_samples <= MOST_MEMORY:
            raise ValueError(
                f"learner.prior_samples: must be in 1..{MOST_MEMORY:g}; got {self.prior_samples}"
            )
        check_classes(self.max_classes)
        check_knobs(self.knobs())

    def within(self, shape: Shape, multiply_adds: int) -> Mapping[str, int]:
        """None: a step is what it is."""
        return {}

    @property
    def needs_statistics(self) -> bool:
        """Those of the training features."""
        return True

    @property
    def most_samples(self) -> int:
        """None are kept."""
        return 0

    def sample_bytes(self, shape: Shape) -> int:
        """None are kept."""
        return 0

    def extra_floats(self, shape: Shape) -> int:
        """Numbers of its state beside the head: a count for each class."""
        return shape.classes

    def scratch_bytes(self, shape: Shape) -> int:
        """What it has beside state and knobs: a sample."""
        return FLOAT_BYTES * shape.features

    def ram(self, shape: Shape) -> Mapping[str, int]:
        """The head; state, knobs and scratch."""
        state = FLOAT_BYTES * (self.extra_floats(shape) + len(self.knobs()))
        rest = state + self.scratch_bytes(shape) + alarm_bytes(self.alarm, shape)
        return parts(head_bytes(shape), 0, rest)

    def state_bytes(self, shape: Shape) -> int:
        """Head and statistics."""
        return head_bytes(shape) + FLOAT_BYTES * self.extra_floats(shape)

    def layout(self, shape: Shape) -> str:
        """Its own."""
        return f"{self.NAME} {shape.features} {shape.classes}"

    def cpp(self) -> Cpp:
        """Its class."""
        own = Cpp((f"learners/{self.HEADER}",), f"{self.NAME}<Config, Factory>")
        return reacting(self.alarm, own)

    def code(self) -> tuple[str, ...]:
        """Its class."""
        return self.NAME, *alarm_code(self.alarm, self.NAME)

    def constants(self) -> Mapping[str, str]:
        """How much the factory counts."""
        return {"float kPriorSamples": floating(self.prior_samples)}

    def knobs(self) -> tuple[Knob, ...]:
        """Its own, and the alarm."""
        return (*self.own_knobs(), *alarm_knobs(self.alarm))

    def own_knobs(self) -> tuple[Knob, ...]:
        """The memory."""
        return (memory_knob("memory", self.memory),)


@dataclass(frozen=True)
class CovarianceForm(ClosedForm):
    """Base of those that take the factory's covariance along.

    Args:
        shrinkage: Share of the mean variance that is added to its diagonal.
    """

    shrinkage: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1e-6 <= self.shrinkage <= 1:
            raise ValueError(f"learner.shrinkage: must be in 1e-06..1; got {self.shrinkage}")


def memory_knob(name: str, value: float, grid: tuple[float, ...] = MEMORIES) -> Knob:
    """A number of samples."""
    return Knob(name, value, LEAST_MEMORY, MOST_MEMORY, grid)


def needed(statistics: Statistics | None) -> Statistics:
    """The statistics that a closed form starts from.

    Raises:
        ValueError: there are none.
    """
    if statistics is None:
        raise ValueError(
            "learner: starts from statistics of the training features (Project.statistics), and there "
            "are none; tybox, tinyol and imprint_replay do without"
        )
    return statistics


def most_variance(diagonal: Floats) -> Floats:
    """The bound of a matrix P that is learnt, given the factory's diagonal (F,)."""
    return number(VARIANCE_ROOM * float(diagonal.max()))


def centred(known: Statistics) -> tuple[Array, dict[str, Floats]]:
    """Class means (C, F) less the mean of all, in units; and mean and unit as constants."""
    constants = {"Unit": number(known.unit), "Mean": known.mean.astype(np.float32)}
    return known.unit * (known.means - known.mean), constants


def centred_bytes(shape: Shape) -> int:
    """Mean and unit."""
    return FLOAT_BYTES * (shape.features + 1)


def discriminant(
    means: Array, metric_means: Array, known: Statistics, classes: int
) -> tuple[Floats, Floats]:
    """The head of class means m (C, F), centred, under a metric P: weights P m, biases -m' P m / 2.

    It is one for features as they are: the biases take back what their mean adds.
    """
    weights = known.unit * metric_means
    bias = -0.5 * np.sum(means * metric_means, axis=1) - weights @ known.mean
    head = opened(weights.astype(np.float32), bias.astype(np.float32), classes)
    return head.weights, head.bias
