"""Knobs are turned to where the score is best, also where their grids did not reach."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.learners.base import Knob
from scenarios.tuning import MOST_WIDENINGS, tune

RATE = Knob("rate", 1e-2, 1e-30, 1e6, (1e-3, 1e-2, 1e-1))
DECAY = Knob("decay", 0.75, 0, 1, (0.5, 0.75, 1.0))


@given(best=st.integers(-6, 2))
def test_a_grid_grows_until_the_best_value_lies_inside(best) -> None:
    found = tune(lambda at: -abs(math.log10(at["rate"]) - best), [RATE])
    assert found.values["rate"] == pytest.approx(10.0**best, rel=1e-6)
    assert found.at_edge == ()


def test_a_grid_stops_growing() -> None:
    found = tune(lambda at: at["rate"], [RATE])
    assert found.values["rate"] == pytest.approx(10.0 ** (-1 + MOST_WIDENINGS))
    assert found.at_edge == ("rate",)
    assert len(found.trials) == 3 + MOST_WIDENINGS


def test_a_knob_never_leaves_its_range() -> None:
    found = tune(lambda at: at["decay"], [DECAY])
    assert found.values == {"decay": 1.0}
    assert len(found.trials) == 3
    low = tune(lambda at: -at["decay"], [DECAY])
    assert all(0 <= trial.values["decay"] <= 1 for trial in low.trials)


def test_of_equal_values_the_lowest_is_taken() -> None:
    found = tune(lambda at: min(at["rate"], 1e-2), [RATE])
    assert found.values["rate"] == 1e-2


def test_several_knobs_are_turned_in_turn_and_none_is_tried_twice() -> None:
    calls: list[tuple[float, ...]] = []

    def score(at) -> float:
        calls.append(tuple(at.values()))
        return -abs(math.log10(at["rate"]) + 2 * at["decay"] + 0.5) - abs(at["decay"] - 0.75)

    found = tune(score, [RATE, DECAY])
    assert found.values["decay"] == 0.75
    assert found.values["rate"] == pytest.approx(1e-2)
    assert len(set(calls)) == len(calls) == len(found.trials)
    assert {tuple(trial.values) for trial in found.trials} == {("rate", "decay")}


def test_a_grid_of_one_value_is_that_value() -> None:
    found = tune(lambda at: 0.5, [Knob("rate", 0.3, 0, 1, (0.3,))])
    assert (found.values, found.at_edge) == ({"rate": 0.3}, ())


def test_progress_ends_where_all_is_done() -> None:
    calls: list[tuple[int, int]] = []
    tune(lambda at: at["rate"], [RATE], lambda done, total: calls.append((done, total)))
    assert [done for done, _ in calls] == list(range(1, 4 + MOST_WIDENINGS))
    assert calls[-1][0] == calls[-1][1]
