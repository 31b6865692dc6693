"""A network's card tells what the run's result holds."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace

from hypothesis import example, given
from hypothesis import strategies as st

from tinyml_nas.cards.network import card
from tinyml_nas.types import Figure, Result


def figure(value: float, n: int = 10_000) -> dict:
    return asdict(Figure(value, "accuracy", n))


def trained_result(pruned_bytes: int = 600_000, loss: Sequence[float] = (2.0, 1.5)) -> Result:
    run = {"hardware": "one core", "seconds": 120, "loss": list(loss)}
    return Result(
        status="ok",
        metrics={
            "search": {"evaluations": 80, "inherited_accuracy": figure(0.8125, n=5_000)},
            "training": {"float": run, "pruned": {**run, "seconds": 60}},
            "size_bytes": {"float": 900_000, "pruned": pruned_bytes},
            "network": {"parameters": 216_138, "macs": 2_000_000, "test_images": 10_000},
            "test_accuracy": {
                "float": figure(0.85),
                "pruned": figure(0.84),
                "deployed": figure(0.8345),
            },
            "omega": {
                "resolution": 24,
                "features": 192,
                "dtype": "int8",
                "memory_model": "thesis",
                "buffer_samples": 158,
            },
            "memory": {
                "thesis": {"ram_parts": {"weights": 1000, "buffer": 9999}, "ram_bytes": 10_999}
            },
            "program": {"linked_bytes": {"flash": 250_000, "ram": 60_000}},
        },
        overrides=("experiment=omega_256kb",),
        provenance={
            "seed": 7,
            "dataset": "0123456789abcdef0123",
            "dataset_name": "Cifar10",
            "supernet": "MobileNetV3Space",
            "recipe": {"_target_": "x", "epochs": 12},
            "stages": [
                {"stage": "finetune", "versions": {"torch": "2.13.0", "numpy": "2.4.6"}},
                {"stage": "quantize", "versions": {"keras": "3.15.1", "numpy": "2.4.6"}},
            ],
        },
    )


def test_a_card_tells_what_the_result_holds():
    text = card("omega_256kb", trained_result())
    for part in (
        *("216,138 parameters", "2.0 M multiply-adds", "24x24", "`0123456789abcdef`", "81.25 %"),
        *(
            "epochs 12",
            "pruned: 1 minutes",
            "2.00, 1.50",
            "| float, pruned | 84.00 % (83.3-84.7) |",
        ),
        *("| int8, as the generated C++ computes it | 83.45 % (82.7-84.2) |", "| 1,000 |"),
        "keras 3.15.1, numpy 2.4.6, torch 2.13.0",
        *("linked flash | 250,000", "158 samples", "python run.py experiment=omega_256kb"),
    ):
        assert part in text


def test_a_card_names_the_family_and_the_type_that_was_deployed():
    result = trained_result()
    assert "\n\nA MobileNetV3 for microcontrollers: 216,138" in card("x", result)
    result.provenance["supernet"], result.metrics["omega"]["dtype"] = "Lite0Space", "float32"
    text = card("x", result)
    assert "\n\nAn EfficientNet-Lite0 that starts from ImageNet's weights: 216,138" in text
    assert "| float32, as the generated C++ computes it | 83.45 %" in text


def test_a_card_leaves_out_a_pruning_that_did_nothing():
    assert "pruned" not in card("whole", trained_result(pruned_bytes=900_000))


def test_a_card_says_what_was_not_trained():
    text = card("inherited", trained_result(loss=[]))
    assert "float: not trained." in text
    assert "pruned: not trained." in text
    assert "| float, pruned | 84.00 % (83.3-84.7) |" in text


@given(overrides=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
@example(overrides=["search=[a|b]", "name=\\|\n| x |"])
def test_no_override_leaves_its_word_of_the_command(overrides):
    result = replace(trained_result(), overrides=tuple(overrides))
    command = card("x", result).split("    python run.py ")[1].split("\n\nTo use these weights")[0]
    assert shlex.split(command) == overrides
