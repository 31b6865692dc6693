"""TyBox uses the whole buffer, TinyOL one sample of it; bad settings name their key."""

from __future__ import annotations

import pytest

from codegen.boards.board import load
from codegen.learners.base import compiled_classes, tuned
from codegen.learners.tinyol import TinyOL
from codegen.learners.tybox import Tybox
from codegen.memory.fit import fit
from tests.codegen.conftest import identity_graph


def test_tinyol_is_tyboxs_program_with_a_buffer_of_one() -> None:
    tybox, tinyol = Tybox(1e-2), TinyOL(1e-2)
    assert (tybox.cpp(), tybox.constants()) == (tinyol.cpp(), tinyol.constants())
    board = load("nucleo_f446re")
    many, one = (
        fit(identity_graph(20, "int8"), kind, 10, board).size() for kind in (tybox, tinyol)
    )
    assert (one.buffer_samples, one.bound) == (1, "learner")
    assert many.buffer_samples > 1000
    assert many.bound == "device.ram_bytes"


@pytest.mark.parametrize("kind", [Tybox, TinyOL])
@pytest.mark.parametrize("rates", [(0.0, 1.0), (-1.0,), (0.1, 0.1), (0.2, 0.1)])
def test_grids_are_positive_and_ascending(kind, rates: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"learner\.learning_rates: must be positive"):
        kind(0.1, rates)


def test_knobs_are_fields_that_calibration_may_turn() -> None:
    learner = Tybox(0.1, (0.1, 0.3))
    (knob,) = learner.knobs()
    assert (knob.value, knob.grid) == (0.1, (0.1, 0.3))
    assert tuned(learner, {"learning_rate": 0.3}).knobs()[0].value == 0.3
    with pytest.raises(ValueError, match=r"learner\.rate: there is no such knob; it has learning"):
        tuned(learner, {"rate": 0.3})
    with pytest.raises(ValueError, match=r"learner\.learning_rate: must be positive"):
        tuned(learner, {"learning_rate": 0.0})


@pytest.mark.parametrize("most", [1, 0, -3, 257])
def test_classes_are_what_a_label_can_name(most: int) -> None:
    with pytest.raises(ValueError, match=r"learner\.max_classes: must be in 2\.\.256, or null"):
        Tybox(0.1, max_classes=most)


def test_no_fewer_classes_are_compiled_in_than_the_head_has() -> None:
    assert compiled_classes(Tybox(0.1), 10) == 10
    assert compiled_classes(Tybox(0.1, max_classes=12), 10) == 12
    with pytest.raises(ValueError, match=r"learner\.max_classes: must be at least 10.*got 9"):
        compiled_classes(Tybox(0.1, max_classes=9), 10)
