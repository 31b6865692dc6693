"""The cards of the shipped supernets."""

from __future__ import annotations

import json

import pytest

from tinyml_nas.cards.supernet import card
from tinyml_nas.supernet.checkpoint import SHIPPED

RECORDS = sorted(SHIPPED.glob("*.json"))


@pytest.mark.parametrize("path", RECORDS, ids=[path.stem for path in RECORDS])
def test_a_shipped_card_follows_from_its_record(path):
    record = json.loads(path.read_text())
    text = path.with_suffix(".md").read_text()
    assert text == card(path.stem, record)
    assert (" train_supernet.start=FILE " in text) == ("started_from" in record)


def test_supernets_are_shipped_at_all():
    assert RECORDS
