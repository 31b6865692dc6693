"""What a learner states of itself: planner, protocol, calibration and templates ask it, none knows its name.

``runtime/learners/learner.hpp`` says what its C++ class is. A new one is a header there, a class here, a
YAML in ``conf/learner`` and a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from codegen.buffers.base import Cpp, Shape
from codegen.learners.statistics import Statistics
from codegen.limits import MOST_CLASSES, MOST_SAMPLES, MOST_WEIGHT

FLOAT_BYTES = 4
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Knob:
    """A number that may be set while the program runs; the learner's field of this name is its first value.

    It may lie in ``least..most``; ``grid`` are the values, ascending, from which one is picked on
    validation streams.
    """

    name: str
    value: float
    least: float
    most: float
    grid: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Factory:
    """What a learner starts from, in flash: ``weights`` (classes, features), ``bias`` (classes,).

    ``arrays`` are what else it needs, by their names in C++.
    """

    weights: Floats
    bias: Floats
    arrays: Mapping[str, npt.NDArray[np.generic]] = field(default_factory=dict)


class Learner(Protocol):
    """What ``conf/learner`` chooses: a frozen dataclass."""

    def __hash__(self) -> int:
        """As a frozen dataclass has it."""

    @property
    def max_classes(self) -> int | None:
        """Classes that are compiled in; None for those of the first head."""

    @property
    def most_samples(self) -> int:
        """The largest buffer that it makes use of; 0 where it keeps no samples."""

    def ram(self, shape: Shape) -> Mapping[str, int]:
        """Bytes of ``head`` (weights and bias), ``buffer`` (samples) and ``learner`` (all else)."""

    def state_bytes(self, shape: Shape) -> int:
        """What of these is saved, the head first."""

    def layout(self, shape: Shape) -> str:
        """What tells states apart that must not be taken for each other."""

    def sample_bytes(self, shape: Shape) -> int:
        """One sample of its buffer; 0 where it keeps none."""

    def flash(self, shape: Shape) -> int:
        """Bytes of constants beside the first head: the arrays of ``factory``."""

    def constant_bytes(self, shape: Shape) -> int:
        """What of ``flash`` is read while it runs; the rest are first values of its state."""

    @property
    def needs_statistics(self) -> bool:
        """Whether ``factory`` needs those of the training features."""

    def factory(
        self, weights: Floats, bias: Floats, classes: int, statistics: Statistics | None
    ) -> Factory:
        """What it starts from, given the head (C, F), (C,) that was trained on the host.

        ``classes`` is at least C: those beyond are yet to come.

        Raises:
            ValueError: it needs statistics, and there are none.
        """

    def cpp(self) -> Cpp:
        """Its class, a template of ``Config`` and of its buffer, if it has one."""

    def multiply_adds(self, shape: Shape) -> int:
        """Those of one step, with a full buffer."""

    def within(self, shape: Shape, multiply_adds: int) -> Mapping[str, int]:
        """Fields with which a step takes at most so many, as far as they can; empty where none does."""

    def code(self) -> tuple[str, ...]:
        """Parts of its code whose sizes ``codegen/memory/code_size.json`` has."""

    def constants(self) -> Mapping[str, str]:
        """Constants of ``Config``: declarations (type and name) and their values in C++."""

    def knobs(self) -> tuple[Knob, ...]:
        """What can be set while it runs, at least one; in the order of their numbers in C++."""


AnyLearner = TypeVar("AnyLearner", bound=Learner)


def tuned(learner: AnyLearner, values: Mapping[str, float]) -> AnyLearner:
    """The learner with other first values of its knobs.

    Raises:
        ValueError: it has no such knob, or the value is out of its range.
    """
    names = [knob.name for knob in learner.knobs()]
    for name in values:
        if name not in names:
            raise ValueError(f"learner.{name}: there is no such knob; it has {', '.join(names)}")
    return replace(learner, **values)  # type: ignore[type-var]  # a frozen dataclass, as all plug-ins


def widened(learner: AnyLearner, classes: int) -> AnyLearner:
    """The learner with room for at least ``classes`` classes."""
    most = max(learner.max_classes or 0, classes)
    return replace(learner, max_classes=most)  # type: ignore[type-var]  # a frozen dataclass


def opened(weights: Floats, bias: Floats, classes: int) -> Factory:
    """The trained head with columns for classes that are yet to come (``Head::unseen``)."""
    missing = classes - len(bias)
    return Factory(
        np.pad(weights, ((0, missing), (0, 0))),
        np.pad(bias, (0, missing), constant_values=np.float32(-MOST_WEIGHT)),
    )


def name_of(learner: Learner) -> str:
    """What a learner goes by in results and on the device."""
    return type(learner).__module__.rpartition(".")[2]


def check_knobs(knobs: tuple[Knob, ...]) -> None:
    """Refuse values of knobs, and those of their grids, that the program would refuse.

    Raises:
        ValueError: naming the key.
    """
    for knob in knobs:
        for value in (knob.value, *knob.grid):
            if not knob.least <= value <= knob.most:  # nor is a NaN
                raise ValueError(
                    f"learner.{knob.name}: must be in {knob.least:.3g}..{knob.most:g}; got {value}"
                )


def check_classes(max_classes: int | None) -> None:
    """Refuse a number of classes that labels cannot name.

    Raises:
        ValueError: naming the key.
    """
    if max_classes is not None and not 2 <= max_classes <= MOST_CLASSES:
        raise ValueError(
            f"learner.max_classes: must be in 2..{MOST_CLASSES}, or null for those of the first "
            f"head; got {max_classes}"
        )


def compiled_classes(learner: Learner, classes: int) -> int:
    """How many classes are compiled in, of a learner whose first head has ``classes``.

    Raises:
        ValueError: the first head has more.
    """
    if learner.max_classes is None:
        return classes
    if learner.max_classes < classes:
        raise ValueError(
            f"learner.max_classes: must be at least {classes}, the classes of the first head, or "
            f"null; got {learner.max_classes}"
        )
    return learner.max_classes


def check_samples(key: str, learner: Learner, buffer_samples: int) -> None:
    """Refuse a size that the learner's buffer cannot have.

    Raises:
        ValueError: naming ``key``.
    """
    least = min(1, learner.most_samples)
    if not least <= buffer_samples <= learner.most_samples:
        raise ValueError(f"{key}: must be in {least}..{learner.most_samples}; got {buffer_samples}")


def head_bytes(shape: Shape) -> int:
    """Weights and bias."""
    return FLOAT_BYTES * (shape.features + 1) * shape.classes


def parts(head: int, buffer: int, rest: int) -> dict[str, int]:
    """The parts of ``Learner.ram``, ``rest`` padded so that all is whole words."""
    return {
        "head": head,
        "buffer": buffer,
        "learner": rest + -(head + buffer + rest) % FLOAT_BYTES,
    }


UNBOUNDED = MOST_SAMPLES
"""``most_samples`` of a learner that makes use of every sample that there is room for."""
