"""The learner of the best score wins, of those that fit; the table says what each one takes and does."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from codegen.learners.tinyol import TinyOL
from codegen.learners.tybox import Tybox
from scenarios.auto import Auto
from tinyml_nas.design.taps.auto import AutoTaps
from tinyml_nas.design.taps.blocks import BlockTaps
from tinyml_nas.design.taps.none import NoTaps
from tinyml_nas.pipeline import choice

SCORES = {"a": 0.5, "b": 0.7, "c": 0.7, "d": 0.9}
RAM = {"a": 10, "b": 40, "c": 30, "d": 20}
WAYS = {"none": NoTaps(), "some": BlockTaps(3), "many": BlockTaps(9)}
LEARNERS = {name: Tybox(1e-3, passes=n + 1) for n, name in enumerate(SCORES)}
NAMES = {learner: name for name, learner in LEARNERS.items()}


def size_of(name: str, fits: bool) -> SimpleNamespace:
    memory = SimpleNamespace(ram_bytes=RAM[name], flash_bytes=100)
    program = SimpleNamespace(memory=memory)
    return SimpleNamespace(fits=fits, program=program, buffer_samples=7)


class Field:
    """Tunes as the table says, ``more`` by taps, and starts with a head that may be too large."""

    def __init__(self, too_large: str = "", more: float = 0.0) -> None:
        self.too_large = too_large
        self.more = more
        self.tuned: list[str] = []

    def omega(self, learner):
        name = NAMES[learner]
        return SimpleNamespace(size=size_of(name, fits=name not in self.too_large))

    def tune(self, learner, omega):
        self.tuned.append(NAMES[learner])
        score = SCORES[NAMES[learner]] + self.more
        return {"values": {"learning_rate": score}, "score": score, "streams": 5}


@pytest.fixture
def study(monkeypatch):
    """``study(learner)``; Ω of candidate d does not fit as it ships."""
    monkeypatch.setattr(
        choice,
        "omega_of",
        lambda study, extractor, learner, names: SimpleNamespace(
            size=size_of(NAMES[learner], fits=NAMES[learner] != "d")
        ),
    )

    def make(learner, taps=WAYS["none"]):
        data = SimpleNamespace(class_names=())
        learners = learner.candidates if isinstance(learner, Auto) else {"b": learner}
        return SimpleNamespace(learner=learner, learners=learners, dataset=data, taps=taps)

    return make


def variants(*fields):
    """What each candidate's taps make of the network; the first are none."""
    ways = dict(zip(WAYS.values(), fields, strict=False))

    def variant_of(taps, learner):
        field = ways.get(taps, fields[0])
        number = fields.index(field)
        spec = SimpleNamespace(taps=(4,) * number, tapped_channels=30 * number, head_features=20)
        return SimpleNamespace(spec=spec, extractor=None, fieldwork=field)

    return variant_of


def test_the_best_that_fits_is_chosen_and_of_equals_the_smaller(study) -> None:
    field = Field()
    best, tables = choice.choose(study(Auto(LEARNERS)), variants(field))
    table = tables["learner"]
    assert best.name == table["chosen"] == "c"
    assert field.tuned == ["a", "b", "c"]
    assert list(table["candidates"]) == list("abcd")
    row = table["candidates"]["b"]
    assert (row["fits"], row["ram_bytes"], row["buffer_samples"]) == (True, 40, 7)
    assert (row["validation_end"]["value"], row["validation_end"]["n"]) == (0.7, 5)
    assert row["knobs"] == {"learning_rate": 0.7}
    assert not table["candidates"]["d"]["fits"]
    assert "validation_end" not in table["candidates"]["d"]


def test_a_head_that_does_not_fit_in_the_field_is_none(study) -> None:
    best, tables = choice.choose(study(Auto(LEARNERS)), variants(Field(too_large="bc")))
    table = tables["learner"]
    assert best.name == "a"
    assert not table["candidates"]["c"]["fits"]


def test_where_none_fits_the_first_stands_for_all(study) -> None:
    best, _ = choice.choose(study(Auto(LEARNERS)), variants(Field(too_large="abc")))
    assert (best.name, best.size.fits) == ("a", False)


def test_without_a_scenario_the_first_that_fits_is_taken(study) -> None:
    two = Auto({"d": LEARNERS["d"], "b": LEARNERS["b"]})
    best, tables = choice.choose(study(two, AutoTaps(WAYS)), variants(None))
    assert best.taps == tables["taps"]["chosen"] == "none"
    assert best.name == tables["learner"]["chosen"] == "b"
    assert best.tuned == {}


def test_a_learner_that_was_asked_for_needs_no_table(study) -> None:
    best, tables = choice.choose(study(LEARNERS["b"]), variants(Field()))
    assert (best.name, tables) == ("b", {})
    assert replace(best, tuned={}).score == 0


def test_the_best_pair_of_taps_and_learner_is_chosen(study) -> None:
    fields = Field(), Field(more=0.05), Field(more=0.1, too_large="bc")
    best, tables = choice.choose(study(Auto(LEARNERS), AutoTaps(WAYS)), variants(*fields))
    assert (best.taps, best.name) == ("some", "c")
    assert best.score == pytest.approx(0.75)
    table = tables["taps"]
    assert (table["chosen"], table["blocks"], table["channels"]) == ("some", [4], 30)
    found = {
        way: (row["learner"], row["validation_end"]["value"])
        for way, row in table["candidates"].items()
    }
    assert found == {"none": ("c", 0.7), "some": ("c", 0.75), "many": ("a", 0.6)}
    assert tables["learner"]["candidates"]["a"]["validation_end"]["value"] == 0.55


def test_the_bounds_of_several_learners_are_those_of_the_least(study) -> None:
    """A network is too large before training only where it is for every candidate."""
    from tests.tinyml_nas.pipeline.test_bounds import spec_of, study_of
    from tinyml_nas.pipeline import bounds

    whole = study_of("pruning=none", "memory.budget_bytes=60000")
    spec = spec_of(whole, 3)
    assert bounds.too_large(whole, spec) is not None
    several = replace(whole, learner=Auto({"one": TinyOL(1e-2), "two": Tybox(1e-3)}))
    assert bounds.too_large(several, spec) is not None
    roomy = study_of("pruning=none")
    assert bounds.too_large(replace(roomy, learner=several.learner), spec) is None
