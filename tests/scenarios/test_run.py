"""The one loop: same streams for all, tuning and report by streams of their own, every start afresh."""

from __future__ import annotations

import dataclasses
import json

import pytest

from codegen.learners.base import Knob
from scenarios.field import divide
from scenarios.run import calibrate, report
from scenarios.streams.shuffled import Shuffled
from scenarios.worlds.concept_drift import ConceptDrift

SMALL = ConceptDrift(samples=100, drift_at=20, repetitions=2, tuning_repetitions=2, curve_images=50)


def field_of(split):
    return divide(split, 10, SMALL.samples, SMALL.curve_images)


def rates(*grid: float) -> tuple[Knob, ...]:
    return (Knob("learning_rate", grid[0], 1e-12, 1e6, grid),)


def test_the_best_rate_is_chosen(make_driver, make_split) -> None:
    """Neither one that learns nothing nor one that forgets everything, from a grid that has neither."""
    field = field_of(make_split(400, 6, noise=2.0))
    found = calibrate(SMALL, Shuffled(), make_driver(), field, rates(1e-6, 1e-2, 1e-1, 1e3), 0)
    best = max(found.trials, key=lambda trial: trial.score)
    assert found.values == best.values
    assert found.values["learning_rate"] in (1e-2, 1e-1)
    assert found.at_edge == ()


def test_trials_hold_the_mean_end_accuracy_of_each_value(make_driver, make_split) -> None:
    """A value is tried alone: its score does not depend on the company."""
    field = field_of(make_split(400, 6))
    together = calibrate(SMALL, Shuffled(), make_driver(), field, rates(1e-3, 1e-2, 1e-1), 0)
    scores = {trial.values["learning_rate"]: trial.score for trial in together.trials}
    for rate in (1e-3, 1e-2, 1e-1):
        (alone,) = calibrate(SMALL, Shuffled(), make_driver(), field, rates(rate), 0).trials
        assert scores[rate] == alone.score


def test_tuning_and_report_draw_different_streams(make_driver, make_split) -> None:
    field = field_of(make_split(400, 6))
    driver = make_driver()
    calibrate(SMALL, Shuffled(), driver, field, rates(0.1), 0)
    tuned, driver.learned = driver.learned, []
    report(SMALL, Shuffled(), driver, field, 0)
    for start in (0, 100):
        assert tuned[start : start + 100] not in (driver.learned[:100], driver.learned[100:])


def test_every_stream_starts_from_the_shipped_head(make_driver, make_split) -> None:
    driver = make_driver()
    before = driver.resets
    calibrate(SMALL, Shuffled(), driver, field_of(make_split(400, 6)), rates(0.1, 0.2, 0.3), 0)
    assert driver.resets - before >= 3 * 2


def test_learners_are_compared_on_the_same_streams(make_driver, make_split) -> None:
    field = field_of(make_split(400, 6))
    one, many = make_driver(buffer_samples=1), make_driver(buffer_samples=20, rate=0.005)
    report(SMALL, Shuffled(), one, field, 1)
    report(SMALL, Shuffled(), many, field, 1)
    assert one.learned == many.learned
    pool = {row.tobytes() for row in field.pool.features}
    assert {sample for sample, _ in one.learned} <= pool


def test_the_outcome_is_json_and_progress_counts_streams(make_driver, make_split) -> None:
    calls: list[tuple[int, int]] = []
    found = report(
        SMALL,
        Shuffled(),
        make_driver(),
        field_of(make_split(400, 6)),
        1,
        lambda done, total: calls.append((done, total)),
    )
    assert calls == [(1, 2), (2, 2)]
    assert json.loads(json.dumps(dataclasses.asdict(found)))["score_images"] == 200


def test_the_end_is_the_last_point_where_all_images_are_watched(make_driver, make_split) -> None:
    world = dataclasses.replace(SMALL, curve_images=200)
    found = report(world, Shuffled(), make_driver(), divide(make_split(400, 6), 10, 100, 200), 0)
    assert found.figures["end"].value == pytest.approx(found.curves["all"][-1])
    assert found.figures["end_as_published"].value == pytest.approx(found.curves["all"][-1])
