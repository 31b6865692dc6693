"""The one loop: every scenario is run, and every knob of a learner tuned, by these functions.

The protocol is the thesis's (section 4.3): labelled samples come one at a time, and held-out images are scored
after each. Beyond it, ends are scored on all held-out images, and what is tuned is tuned on other data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codegen.learners.base import Knob
from scenarios.base import Curve, Order, Probe, Scenario, Stream
from scenarios.driver import Driver, Labels, Progress
from scenarios.field import Field, Samples
from scenarios.measures import spread
from scenarios.tuning import Tuned, tune
from tinyml_nas.types import Figure

# First word of the seed: validation streams never share their draws with reported ones.
_REPORTED, _TUNING = 0, 1


@dataclass(frozen=True, eq=False)
class Trace:
    """What the program said in one stream: classes of held-out images.

    ``watched`` (T, W) after each sample, ``first`` (S,) before the first one and ``last`` (S,) after the last.
    """

    watched: Labels
    first: Labels
    last: Labels


@dataclass(frozen=True)
class Outcome:
    """What came of a scenario.

    Attributes:
        figures: By name; see the world's ``figures``.
        curves: Mean over repetitions after each sample, of each probe.
        spreads: Deviation (n - 1) over repetitions after each sample, of each probe; 0 for one.
        ends: Of each probe, the accuracy after the last sample of each repetition, on all images scored.
        pool_images: Images that streams are drawn from.
        score_images: Images that ends are scored on.
    """

    figures: Mapping[str, Figure]
    curves: Mapping[str, tuple[float, ...]]
    spreads: Mapping[str, tuple[float, ...]]
    ends: Mapping[str, tuple[float, ...]]
    pool_images: int
    score_images: int


def report(
    scenario: Scenario,
    order: Order,
    driver: Driver,
    field: Field,
    seed: int,
    progress: Progress | None = None,
) -> Outcome:
    """Drive the program, as it ships, through the scenario's repetitions.

    The streams depend on ``seed``, scenario, order and field only: learners that are compared see the same.
    """
    probes: list[tuple[Probe, ...]] = []
    traces: list[Trace] = []
    watched = field.score[: scenario.curve_images * field.looks]
    for index in range(scenario.repetitions):
        rng = np.random.default_rng((_REPORTED, seed, index))
        stream = scenario.stream(field.pool, field.classes, order, rng)
        driver.reset()
        traces.append(_drive(driver, stream, watched, field.score))
        probes.append(stream.probes)
        if progress is not None:
            progress(index + 1, scenario.repetitions)
    curves = _curves(probes, traces, watched.labels, field.score.labels)
    return Outcome(
        figures=scenario.figures(curves),
        curves={name: tuple(curve.points.mean(axis=0).tolist()) for name, curve in curves.items()},
        spreads={name: tuple(spread(curve.points).tolist()) for name, curve in curves.items()},
        ends={name: tuple(curve.end.tolist()) for name, curve in curves.items()},
        pool_images=len(field.pool) // field.looks,
        score_images=len(field.score) // field.looks,
    )


def calibrate(
    scenario: Scenario,
    order: Order,
    driver: Driver,
    field: Field,
    knobs: Sequence[Knob],
    seed: int,
    progress: Progress | None = None,
) -> Tuned:
    """Turn the knobs to where the mean end accuracy is best, on streams of ``field``.

    They are made as in ``report``, from validation data and other seeds. The mean is that of the probes: old
    and new classes count alike. Generate the program again with the values chosen, and report that one.
    """
    rngs = [
        np.random.default_rng((_TUNING, seed, index))
        for index in range(scenario.tuning_repetitions)
    ]
    streams = [scenario.stream(field.pool, field.classes, order, rng) for rng in rngs]

    def mean_end(values: Mapping[str, float]) -> float:
        ends = []
        for stream in streams:
            driver.reset()
            for name, value in values.items():
                driver.set_knob(name, value)
            _learn(driver, stream)
            said = driver.predict(field.score.features)
            ends += [
                _accuracy(said.astype(np.uint8), field.score.labels, probe, -1)
                for probe in stream.probes
            ]
        return float(np.mean(ends))

    return tune(mean_end, knobs, progress)


def _drive(driver: Driver, stream: Stream, watched: Samples, score: Samples) -> Trace:
    first = driver.predict(score.features)
    said = np.empty((len(stream.labels), len(watched)), np.uint8)
    for index, (features, label) in enumerate(_pairs(stream)):
        driver.learn(features, label)
        said[index] = driver.predict(watched.features)
    return Trace(said, first.astype(np.uint8), driver.predict(score.features).astype(np.uint8))


def _learn(driver: Driver, stream: Stream) -> None:
    for features, label in _pairs(stream):
        driver.learn(features, label)


def _pairs(stream: Stream) -> zip[tuple[npt.NDArray[np.generic], int]]:
    return zip(stream.samples.features, stream.labels.tolist(), strict=True)


def _curves(
    probes: Sequence[Sequence[Probe]], traces: Sequence[Trace], watched: Labels, score: Labels
) -> dict[str, Curve]:
    """The answers to each probe, by its name; all streams of a scenario have the same ones."""
    curves = {}
    for number, probe in enumerate(probes[0]):
        asked = [stream[number] for stream in probes]
        pairs = list(zip(traces, asked, strict=True))
        curves[probe.name] = Curve(
            points=np.stack([_points(trace.watched, watched, one) for trace, one in pairs]),
            start=np.array([_accuracy(trace.first, score, one, 0) for trace, one in pairs]),
            end=np.array([_accuracy(trace.last, score, one, -1) for trace, one in pairs]),
            frozen=np.array([_accuracy(trace.first, score, one, -1) for trace, one in pairs]),
        )
    return curves


def _points(said: Labels, classes: Labels, probe: Probe) -> npt.NDArray[np.float64]:
    """Accuracy (T,) of what was ``said`` (T, N) of images of these ``classes`` (N,)."""
    asked = np.isin(classes, probe.classes)
    right = [
        (said[:, asked] == labels[classes[asked]]).mean(axis=1) for labels in probe.truth.labels
    ]
    points: npt.NDArray[np.float64] = (np.stack(right, axis=1) * probe.truth.shares).sum(axis=1)
    return points


def _accuracy(said: Labels, classes: Labels, probe: Probe, sample: int) -> float:
    """The same of what was ``said`` (N,) once, by the truth after one sample."""
    asked = np.isin(classes, probe.classes)
    right = [float((said[asked] == labels[classes[asked]]).mean()) for labels in probe.truth.labels]
    return float(np.dot(right, probe.truth.shares[sample]))
