"""TyBox uses the whole buffer, TinyOL one sample of it; bad settings name their key."""

from __future__ import annotations

import pytest

from codegen.project import LearnerSettings
from scenarios.learners import TinyOL, Tybox


def test_tybox_fills_the_buffer_that_omega_has() -> None:
    learner = Tybox((1e-4,), passes=2, loss="squared_error")
    assert learner.settings(158, 1e-4) == LearnerSettings(158, 1e-4, 2, "squared_error")


def test_tinyol_is_a_buffer_of_one_under_the_same_loss() -> None:
    assert TinyOL((1e-2,)).settings(158, 1e-2) == LearnerSettings(1, 1e-2, 1, "cross_entropy")
    assert TinyOL((1e-2,)).loss == Tybox((1e-2,)).loss


@pytest.mark.parametrize("kind", [Tybox, TinyOL])
@pytest.mark.parametrize("rates", [(), (0.0, 1.0), (-1.0,), (0.1, 0.1), (0.2, 0.1)])
def test_grids_are_positive_and_ascending(kind, rates: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"learner\.learning_rates: must be positive"):
        kind(rates)


@pytest.mark.parametrize("kind", [Tybox, TinyOL])
def test_no_pass_is_no_learning(kind) -> None:
    with pytest.raises(ValueError, match=r"learner\.passes: must be in 1\.\.1000.*got 0"):
        kind((0.1,), passes=0)


@pytest.mark.parametrize("kind", [Tybox, TinyOL])
def test_no_buffer_is_refused(kind) -> None:
    with pytest.raises(ValueError, match="buffer_samples"):
        kind((0.1,)).settings(0, 0.1)
