"""The shipped teachers: whole, as accurate as their cards say; and the card of any other."""

from __future__ import annotations

import json

import pytest

from tinyml_nas.cards.teacher import card, record
from tinyml_nas.interval import wilson
from tinyml_nas.network import files
from tinyml_nas.network.shipped import TEACHERS
from tinyml_nas.training.loop import accuracy

NAMES = TEACHERS.names
FACTS = {
    "recipe": {"_target_": "x", "epochs": 3.0, "resolution": 96},
    "dataset": "Cifar10",
    "data_digest": "0123456789abcdef0123",
    "classes": 10,
    "parameters": 3_383_818,
    "train_images": 45_000,
    "validation_images": 5_000,
    "hardware": "a processor",
    "seed": 7,
}


def test_a_card_tells_the_record():
    curve = [
        {"step": 10.0, "loss": 0.5, "seconds": 90.0},
        {"step": 20.0, "loss": 0.4, "seconds": 90},
    ]
    made = record(curve, 0.95, FACTS)
    assert made["seconds"] == 180
    assert made["recipe"] == {"epochs": 3.0, "resolution": 96}
    assert made["wilson_95"] == [0.9436, 0.9557]
    made["overrides"] = ["task=train_teacher", "dataset=cifar10", "data.root=my photos"]
    text = card("teacher", json.loads(json.dumps(made)))
    for part in (
        "3,383,818 parameters",
        "**95.00 % (94.4-95.6)**",
        "digest `0123456789abcdef`",
        "loss of each epoch 0.500, 0.400; 3 minutes on a processor",
        "python run.py task=train_teacher dataset=cifar10 'data.root=my photos'\n",
        "epochs 3.0, resolution 96",
    ):
        assert part in text
    assert "a processor. Shared.\n" in card("teacher", {**made, "note": "Shared."})


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_card_follows_from_its_record(name):
    made = json.loads((TEACHERS.folder(name) / "record.json").read_text())
    assert (TEACHERS.folder(name) / "card.md").read_text() == card(name, made)
    assert not [text for text in made["overrides"] if "/" in text]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_teacher_is_as_accurate_as_its_card_says(name, sample):
    """On 250 test images, which it never saw either; the card is of 5,000 validation images."""
    made = json.loads((TEACHERS.folder(name) / "record.json").read_text())
    images = sample.split("test")[:250]
    low, high = wilson(accuracy(files.load(TEACHERS.folder(name)), images), len(images))
    assert low <= made["validation_accuracy"] <= high
