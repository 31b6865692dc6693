"""The choice of a learner."""

from __future__ import annotations

import pytest

from codegen.learners.tinyol import TinyOL
from codegen.learners.tybox import Tybox
from scenarios.auto import Auto, candidates_of


def test_a_learner_is_the_only_candidate_or_there_are_several() -> None:
    one, other = Tybox(1e-3), TinyOL(1e-2)
    assert candidates_of(one) == {"tybox": one}
    both = {"replay": one, "latest": other}
    assert candidates_of(Auto(both)) == both


def test_there_must_be_something_to_choose_from() -> None:
    with pytest.raises(ValueError, match=r"learner\.candidates: must be at least one"):
        Auto({})
