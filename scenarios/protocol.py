"""How a scenario is measured: repeated streams, accuracy after every sample, tuning on other data.

The protocol is the thesis's (section 4.3), with scores on all held-out images at the end of a
stream instead of 200, and with the learner's knobs turned on the validation split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from codegen.learners.base import Knob
from scenarios.driver import Driver, Labels, Progress
from scenarios.stream import Field, Samples, divide, draw
from tinyml_nas.types import DataCounts

# First word of the seed: validation streams never share their draws with reported ones.
_REPORTED, _CALIBRATION = 0, 1


class Outcome(Protocol):
    """What came of a scenario: a dataclass of plain values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Scenario(Protocol):
    """A change in the field, and how often and how closely it is watched."""

    @property
    def samples(self) -> int:
        """Length of a stream."""

    @property
    def repetitions(self) -> int:
        """Streams to run."""

    @property
    def curve_images(self) -> int:
        """Held-out images that are scored after every sample."""

    def check(self, data: DataCounts) -> None:
        """Refuse a data set that the scenario cannot run on, with a ``ValueError``."""

    def labels_at(self, labels: Labels, sample: int) -> Labels:
        """Labels (N,) that hold from the ``sample``-th sample of the stream on, counted from 0."""

    def run(
        self, driver: Driver, split: Samples, seed: int, progress: Progress | None = None
    ) -> Outcome:
        """Drive the program as it ships through the change, on streams of ``split``."""


@dataclass(frozen=True)
class Repetition:
    """One stream. ``curve[i]`` is the accuracy after the sample i, on the first held-out images.

    ``end`` is the accuracy after the last sample, on all held-out images.
    """

    curve: tuple[float, ...]
    end: float


@dataclass(frozen=True)
class Calibration:
    """The chosen ``values`` of the knobs; the mean end accuracies on validation data of what was tried.

    ``tried`` and ``accuracies`` are by knob, in the order of its grid.
    """

    values: dict[str, float]
    tried: dict[str, tuple[float, ...]]
    accuracies: dict[str, tuple[float, ...]]


def run_streams(
    scenario: Scenario,
    driver: Driver,
    split: Samples,
    seed: int,
    progress: Progress | None = None,
) -> tuple[Repetition, ...]:
    """Run the scenario's repetitions on a split whose figures are reported.

    The streams depend on ``seed`` and the split only: learners that are compared see the same ones.

    Raises:
        ValueError: the split is too small for the scenario.
    """
    field = divide(split, scenario.samples, scenario.curve_images)
    done: list[Repetition] = []
    for index in range(scenario.repetitions):
        rng = np.random.default_rng((_REPORTED, seed, index))
        driver.reset()
        done.append(_run_stream(scenario, driver, field, rng, curve=True))
        if progress is not None:
            progress(index + 1, scenario.repetitions)
    return tuple(done)


def calibrate(
    scenario: Scenario,
    driver: Driver,
    validation: Samples,
    knobs: tuple[Knob, ...],
    seed: int,
    progress: Progress | None = None,
) -> Calibration:
    """Turn one knob after the other to the best mean end accuracy on validation data, the lower if equal.

    Streams and scores are made as in ``run_streams``, from the validation split and other seeds.
    Generate the program again with the values chosen, and report that one.

    Raises:
        ValueError: the split is too small for the scenario.
    """
    field = divide(validation, scenario.samples, scenario.curve_images)
    values = {knob.name: knob.value for knob in knobs}
    accuracies: dict[str, tuple[float, ...]] = {}
    done, expected = 0, scenario.repetitions * sum(len(knob.grid) for knob in knobs)
    for knob in knobs:
        found: list[float] = []
        for value in knob.grid:
            ends: list[float] = []
            for index in range(scenario.repetitions):
                rng = np.random.default_rng((_CALIBRATION, seed, index))
                driver.reset()
                for name, chosen in {**values, knob.name: value}.items():
                    driver.set_knob(name, chosen)
                ends.append(_run_stream(scenario, driver, field, rng, curve=False).end)
                done += 1
                if progress is not None:
                    progress(done, expected)
            found.append(float(np.mean(ends)))
        values[knob.name] = knob.grid[int(np.argmax(found))]
        accuracies[knob.name] = tuple(found)
    return Calibration(values, {knob.name: knob.grid for knob in knobs}, accuracies)


def accuracy(driver: Driver, samples: Samples, labels: Labels) -> float:
    """Share of the samples that the driver gives these labels (N,)."""
    return float(np.mean(driver.predict(samples.features) == labels))


def _run_stream(
    scenario: Scenario, driver: Driver, field: Field, rng: np.random.Generator, *, curve: bool
) -> Repetition:
    stream = draw(field.pool, scenario.samples, rng)
    watched = field.score[: scenario.curve_images]
    points: list[float] = []
    for sample in range(scenario.samples):
        label = scenario.labels_at(stream.labels[sample : sample + 1], sample)
        driver.learn(stream.features[sample], int(label[0]))
        if curve:
            points.append(accuracy(driver, watched, scenario.labels_at(watched.labels, sample)))
    last = scenario.labels_at(field.score.labels, scenario.samples - 1)
    return Repetition(curve=tuple(points), end=accuracy(driver, field.score, last))


def deviation(values: npt.ArrayLike) -> float:
    """Sample standard deviation (n - 1); 0 for a single value."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.std(ddof=1)) if array.size > 1 else 0.0
