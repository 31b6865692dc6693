"""The host tells of a rate of saves that wears the flash out within a year."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.link import wear
from codegen.link.__main__ import _saved

DAY_S = 24 * 3600.0


@pytest.mark.parametrize(("number", "erased"), [(0, 0), (1, 1), (2, 1), (3, 2), (20_000, 10_000)])
def test_each_slot_is_erased_by_every_second_save(number, erased):
    assert wear.erasures(number) == erased


@given(st.integers(2, 1000), st.floats(0.1, 1e7), st.integers(0, 30_000))
def test_a_year_is_the_limit(saves, seconds, number):
    """Counted save by save: those after which no slot has had more erasures than it endures."""
    left = sum((later + 1) // 2 <= 10_000 for later in range(number + 1, 20_003))
    lasts_s = left * seconds / saves
    assert bool(wear.warning(saves, seconds, number)) == (lasts_s <= 365.25 * DAY_S)


def test_the_days_are_told():
    told = wear.warning(100, 1000.0, 2000)  # every ten seconds; 18,000 saves are left
    assert re.search(r"save every 10\.0 s .* 10,000 erasures of a sector in 2\.1 days", told)


def test_the_tool_says_what_a_save_did():
    assert _saved(4, 5) == "head number 5 is in flash; erasures of its slot so far: 3"
    assert _saved(5, 5).endswith("nothing was erased")


def test_one_save_is_no_rate():
    assert wear.warning(1, 1.0, 5) == ""
    assert wear.warning(0, 5.0, 5) == ""
