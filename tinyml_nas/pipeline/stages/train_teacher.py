"""Train a teacher: the whole EfficientNet-Lite0, from ImageNet to the classes of a data set."""

from __future__ import annotations

import json
from pathlib import Path

from codegen import durable
from tinyml_nas.pipeline.split import Split
from tinyml_nas.progress import reported
from tinyml_nas.store.digest import Json, describe
from tinyml_nas.training.recipes import TeacherRecipe
from tinyml_nas.types import Artifact


def train_teacher(
    folder: Path,
    work: Path,
    *,
    imagenet: Artifact,
    recipe: TeacherRecipe,
    classes: int,
    train: Split,
    validation: Split,
    seed: int,
) -> dict[str, Json]:
    """The network and its record.

    Returns the ``accuracy`` on the validation split, in [0, 1].
    """
    from tinyml_nas.cards.teacher import record
    from tinyml_nas.network.files import save
    from tinyml_nas.network.imagenet import imagenet_start
    from tinyml_nas.training import loop
    from tinyml_nas.training.hardware import hardware

    images, unseen = train.load(), validation.load()
    network = imagenet_start(recipe.resolution, classes, seed, imagenet.path)
    with reported("teacher") as report:
        curve = loop.finetune(network, images, recipe, work, seed, report)
    save(network, folder)
    accuracy = loop.accuracy(network, unseen)
    facts = {
        "recipe": describe(recipe),
        "dataset": type(train.dataset).__name__,
        "data_digest": train.digest,
        "classes": classes,
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "train_images": len(images),
        "validation_images": len(unseen),
        "hardware": hardware(loop.device_of(recipe)),
        "seed": seed,
    }
    made = record(curve, accuracy, facts)
    durable.write(folder / "record.json", json.dumps(made, indent=1) + "\n")
    return {"accuracy": accuracy}
