"""Calibration picks the rate that is best on validation data, by streams that are never reported."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.learners.base import Knob
from scenarios.concept_drift import ConceptDrift
from scenarios.protocol import calibrate, deviation, run_streams

SMALL = ConceptDrift(samples=100, drift_at=20, repetitions=2, curve_images=50)
GRID = (1e-6, 1e-2, 1e-1, 1e3)


def knobs(grid: tuple[float, ...]) -> tuple[Knob, ...]:
    return (Knob("learning_rate", grid[0], 1e-12, 1e6, grid),)


def test_the_best_rate_is_chosen(make_driver, make_split) -> None:
    """Neither a rate that learns nothing nor one that forgets everything."""
    result = calibrate(SMALL, make_driver(), make_split(400, 6, noise=2.0), knobs(GRID), seed=0)
    rate = result.values["learning_rate"]
    assert result.tried == {"learning_rate": GRID}
    assert rate == GRID[int(np.argmax(result.accuracies["learning_rate"]))]
    assert rate in (1e-2, 1e-1)


def test_the_table_holds_the_mean_end_accuracy_of_each_rate(make_driver, make_split) -> None:
    """Rates are tried alone: the table does not depend on the company."""
    validation = make_split(400, 6)
    together = calibrate(SMALL, make_driver(), validation, knobs(GRID), seed=0)
    alone = [calibrate(SMALL, make_driver(), validation, knobs((rate,)), seed=0) for rate in GRID]
    assert together.tried == {"learning_rate": GRID}
    accuracies = together.accuracies["learning_rate"]
    assert accuracies == tuple(one.accuracies["learning_rate"][0] for one in alone)


def test_of_equal_rates_the_lowest_is_taken(make_driver, make_split) -> None:
    result = calibrate(SMALL, make_driver(), make_split(400, 6), knobs((1e-9, 1e-8)), seed=0)
    first, second = result.accuracies["learning_rate"]
    assert first == second
    assert result.values == {"learning_rate": 1e-9}


def test_calibration_and_report_draw_different_streams(make_driver, make_split) -> None:
    split = make_split(400, 6)
    driver = make_driver()
    calibrate(SMALL, driver, split, knobs((0.1,)), seed=0)
    calibrated, driver.learned = driver.learned, []
    run_streams(SMALL, driver, split, seed=0)
    for start in (0, 100):
        assert calibrated[start : start + 100] not in (driver.learned[:100], driver.learned[100:])


def test_every_stream_starts_from_the_shipped_head(make_driver, make_split) -> None:
    driver = make_driver()
    before = driver.resets
    calibrate(SMALL, driver, make_split(400, 6), knobs((0.1, 0.2)), seed=0)
    assert driver.resets - before == 2 * 2


def test_progress_counts_all_streams(make_driver, make_split) -> None:
    calls: list[tuple[int, int]] = []
    calibrate(
        SMALL,
        make_driver(),
        make_split(400, 6),
        knobs((0.1, 0.2)),
        0,
        lambda done, total: calls.append((done, total)),
    )
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_deviation() -> None:
    assert deviation([1.0, 2.0, 4.0]) == pytest.approx(np.sqrt(7 / 3))
    assert deviation([3.0]) == 0
