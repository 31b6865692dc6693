import pytest

from tinyml_nas.interval import percent, wilson


def test_wilson_is_the_textbook_interval():
    low, high = wilson(0.5, 100)
    assert (low, high) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))
    assert wilson(1.0, 100)[1] == pytest.approx(1)


def test_percent_shows_share_and_interval():
    assert percent(0.5, 100) == "50.00 % (40.4-59.6)"
