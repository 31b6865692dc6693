"""Figures against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from scenarios.measures import change, difference, mean, spread


def test_a_mean_has_the_interval_of_students_t() -> None:
    values = [0.5, 0.75, 0.625, 0.875]
    found = mean(values, "accuracy")
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (found.value, found.unit, found.n) == (pytest.approx(0.6875), "accuracy", 4)
    assert found.deviation == pytest.approx(np.std(values, ddof=1))
    assert found.interval == pytest.approx((low, high))


def test_one_value_has_no_spread() -> None:
    found = mean([0.5], "accuracy")
    assert (found.value, found.n, found.deviation, found.interval) == (0.5, 1, None, None)


def test_a_difference_is_paired() -> None:
    """Streams that are hard for both do not blur it."""
    found = difference([0.5, 0.7, 0.9], [0.4, 0.6, 0.8])
    assert found.value == pytest.approx(0.1)
    assert found.deviation == pytest.approx(0, abs=1e-12)


def test_what_a_change_did() -> None:
    points = np.array(
        [
            [0.9, 0.9, 0.5, 0.6, 0.895, 0.2],  # back with the third sample of the change
            [0.8, 0.8, 0.4, 0.5, 0.6, 0.7],  # never
        ]
    )
    found = {name: figure.value for name, figure in change(points, 2, 2, 6).items()}
    expected = {"before": 0.85, "lowest": 0.3, "recovered": 0.5, "recovered_after": 3}
    assert found == pytest.approx(expected)
    until = change(points, 2, 2, 4)
    assert "recovered_after" not in until
    assert until["lowest"].value == pytest.approx(0.45)
    slow = change(points, 2, 4, 6)
    assert slow["recovered_after"].value == 3


def test_the_spread_of_a_curve_is_that_of_each_point() -> None:
    points = np.array([[0.5, 0.7], [0.5, 0.9], [0.5, 0.8]])
    assert spread(points) == pytest.approx([0, 0.1])
    assert spread(points[:1]).tolist() == [0, 0]
