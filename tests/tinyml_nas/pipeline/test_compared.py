"""Learner and baseline in the field: compared where both fit, the learner alone where the baseline does not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from codegen.learners.tinyol import TinyOL
from codegen.learners.tybox import Tybox
from scenarios.streams.runs import Runs
from scenarios.worlds.class_incremental import ClassIncremental
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.pipeline.choice import Choice
from tinyml_nas.pipeline.deploy import _compared
from tinyml_nas.pipeline.variants import Variant

LEARNER, BASELINE = Tybox(), TinyOL()


def omega_of(missing: int) -> SimpleNamespace:
    reports = {"mcu": SimpleNamespace(shortfall={"ram": missing} if missing else {})}
    return SimpleNamespace(
        size=SimpleNamespace(fits=not missing, reports=reports, buffer_samples=7)
    )


class Field:
    """Drives as told: the learner ends at .6 and .8, its baseline at .5 twice."""

    def __init__(self, missing: int, seen: bool) -> None:
        only = None if seen else tuple(range(8))
        self.study = SimpleNamespace(
            baseline=BASELINE,
            stream=Runs(),
            dataset=Cifar10Sample(only),
            field=Cifar10Sample(),
        )
        self.scenario = ClassIncremental()
        self.missing = missing

    def omega(self, learner):
        return omega_of(self.missing)

    def tune(self, learner, omega):
        return {"values": {"learning_rate": 1.0}, "at_edge": [], "trials": [], "score": 0.5}

    def program(self, learner, omega, knobs):
        return learner

    def drive(self, learner):
        ends = [0.6, 0.8] if learner is LEARNER else [0.5, 0.5]
        parts = {"curves": {}, "spreads": {}, "figures": {}, "ends": {"all": ends}}
        return {**parts, "pool_images": 10, "score_images": 20}


def chosen(field: Field) -> Choice:
    """The learner, which fits, in this field."""
    variant = Variant(None, SimpleNamespace(), SimpleNamespace(), field)
    tuned = field.tune(LEARNER, None)
    return Choice("none", variant, "tybox", LEARNER, omega_of(0), omega_of(0), tuned)


@pytest.mark.parametrize("seen", [True, False])
def test_differences_are_paired_and_new_classes_that_were_seen_are_told(seen) -> None:
    field = Field(missing=0, seen=seen)
    found = _compared(field, chosen(field))
    difference = found["difference"]["all_end"]
    assert (difference["value"], difference["n"]) == (pytest.approx(0.2), 2)
    assert (found["learner"]["name"], found["baseline"]["name"]) == ("tybox", "tinyol")
    assert (found["world"], found["stream"]) == ("ClassIncremental", "Runs")
    assert found["new_classes_seen_in_training"] == ("ship, truck" if seen else None)


def test_a_baseline_that_does_not_fit_is_told_by_how_much() -> None:
    field = Field(missing=123, seen=False)
    found = _compared(field, chosen(field))
    assert found["baseline"] == {
        "name": "tinyol",
        "fits": False,
        "missing_bytes": {"mcu": {"ram": 123}},
    }
    assert found["learner"]["ends"] == {"all": [0.6, 0.8]}
    assert "difference" not in found
