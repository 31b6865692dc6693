"""A supernet's model card: its record, told to a reader."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyml_nas.interval import percent

CARD = """# Model card: {name}

An elastic {family}: one set of weights from which the search extracts networks
of {smallest[parameters]:,} to {largest[parameters]:,} parameters and {low:.1f} to {high:.1f} M multiply-adds. Ten classes, RGB
images of {resolutions} pixels.

- **Data**: CIFAR-10 (Krizhevsky 2009), 45,000 training images; digest `{digest}`. Selection and the figures
  below use the {images:,} validation images. The test images were never read.
- **Recipe**: {epochs:g} epochs, of which {largest_epochs:g} train the largest network alone and the rest the sandwich
  rule with {teaching} (largest, smallest, {random_networks} random a step); {optimizer}, batch {batch_size}, the
  learning rate falling {falling}; the moving average of the weights over {average_steps} steps.
- **Made on** {hardware}; {minutes:.0f} minutes; seed {seed}.{start}{note}
- **Use**: classification of small images like CIFAR-10's, and as a feature extractor under a head that learns on the
  device. Not for decisions about people: CIFAR-10 holds none, and its ten classes are all that it knows.

## Inherited accuracy

Top-1 with the weights as they are in the checkpoint (float16) and BatchNorm's statistics measured on 1,000 training
images; 95 % interval (Wilson). Flash and SRAM are of the int8 program with a head and a buffer of one sample,
on `{board}`.

| network | input | parameters | M MACs | flash | SRAM | validation accuracy |
|---|---:|---:|---:|---:|---:|---:|
{rows}

{count} random networks: mean {mean:.2f} %, standard deviation {deviation:.2f}, from {least:.2f} to {most:.2f} %; of these with at most
7 M MACs ({few}): mean {few_mean:.2f} %, best {few_best:.2f} %.

## Curve of the largest network's loss

{curve}

## To reproduce

    python run.py task=train_supernet supernet={name}{option} dataset=cifar10 data.root=DIR seed={seed}{starting}{lengths}

The numbers behind this card are in the JSON file of the same name.
"""

MOBILE_NET = "MobileNetV3 for microcontrollers"
LITE0 = "EfficientNet-Lite0 that starts from ImageNet's weights"
TAUGHT = "the answers of a trained teacher"


def card(name: str, record: dict[str, Any]) -> str:
    """Markdown for the record that ``record`` made; a ``note`` in it is told too."""
    images = record["validation_images"]
    recipe, smallest, largest = record["recipe"], record["smallest"], record["largest"]
    from_imagenet = "last_stages" in record["space"]
    decay = recipe["decay_epochs"]
    random = np.array([network["accuracy"] for network in record["random"]])
    few = np.array([n["accuracy"] for n in record["random"] if n["macs"] <= 7e6])
    return CARD.format(
        name=name,
        family=LITE0 if from_imagenet else MOBILE_NET,
        option=f" train_supernet={'lite0' if from_imagenet else 'mbv3_mcu'}",
        teaching=TAUGHT if "teacher" in recipe else "in-place distillation",
        start=f" From a trained supernet, digest `{record['started_from'][:16]}`."
        if "started_from" in record
        else "",
        starting=" train_supernet.start=FILE" if "started_from" in record else "",
        note=f" {record['note']}" if "note" in record else "",
        smallest=smallest,
        largest=largest,
        low=smallest["macs"] / 1e6,
        high=largest["macs"] / 1e6,
        resolutions=", ".join(str(side) for side in record["space"]["resolutions"]),
        digest=record["data_digest"][:16],
        images=images,
        falling="along a cosine" if decay is None else f"over the last {decay:g} epochs",
        lengths=f" train_supernet.epochs={recipe['epochs']:g}"
        + ("" if decay is None else f" train_supernet.decay_epochs={decay:g}"),
        hardware=record["hardware"],
        minutes=record["seconds"] / 60,
        seed=record["seed"],
        board=record["board"],
        rows="\n".join(
            row(label, network, images)
            for label, network in (("smallest", smallest), ("largest", largest))
        ),
        count=len(random),
        mean=100 * random.mean(),
        deviation=100 * random.std(ddof=1),
        least=100 * random.min(),
        most=100 * random.max(),
        few=len(few),
        few_mean=100 * few.mean() if len(few) else math.nan,
        few_best=100 * few.max() if len(few) else math.nan,
        curve=", ".join(f"{entry['loss']:.2f}" for entry in record["curve"]) + " (one an epoch)",
        **{
            key: recipe[key]
            for key in (
                *("epochs", "largest_epochs", "random_networks", "optimizer", "batch_size"),
                "average_steps",
            )
        },
    )


def row(label: str, network: dict[str, Any], images: int) -> str:
    """One network as a line of the table."""
    return (
        f"| {label} | {network['resolution']} | {network['parameters']:,} | "
        f"{network['macs'] / 1e6:.1f} | {network['flash_bytes']:,} | {network['sram_bytes']:,} | "
        f"{percent(network['accuracy'], images)} |"
    )
