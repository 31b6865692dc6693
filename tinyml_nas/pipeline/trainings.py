"""The tasks that train what others start from: a supernet, or a teacher."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TypeAlias

from codegen import durable
from tinyml_nas.cards.teacher import card
from tinyml_nas.network.pretrained import imagenet_file
from tinyml_nas.network.shipped import TEACHERS
from tinyml_nas.pipeline.artifacts import network_files, single_file
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.delivery import deliver_files
from tinyml_nas.pipeline.metrics import Metrics
from tinyml_nas.pipeline.results import accuracy_of, artifact_of
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.answers import answers
from tinyml_nas.pipeline.stages.train_supernet import train_supernet
from tinyml_nas.pipeline.stages.train_teacher import train_teacher
from tinyml_nas.study import Study
from tinyml_nas.supernet.checkpoint import start_path
from tinyml_nas.training.recipes import DistilledRecipe, TaughtSupernetRecipe
from tinyml_nas.types import Artifact

TaughtRecipe: TypeAlias = TaughtSupernetRecipe | DistilledRecipe


def supernet(context: Context, study: Study) -> Metrics:
    """Train the study's supernet; the accuracy of its smallest and largest networks."""
    recipe = study.train_supernet
    extends, start, imagenet = recipe.extends, recipe.start, start_path(study.supernet)
    recipe, said = replace(recipe, extends=None, start=None), None
    if isinstance(recipe, TaughtSupernetRecipe):
        said = answers_of(context, study, recipe)
        recipe = replace(recipe, teacher="")  # known by its answers instead
    entry = context.run(
        train_supernet,
        name=study.supernet.checkpoint or "supernet",
        supernet=replace(study.supernet, checkpoint=None),
        recipe=recipe,
        extends=None if extends is None else single_file(extends),
        imagenet=None if imagenet is None else single_file(imagenet),
        start=None if start is None else single_file(start),
        answers=said,
        classes=study.dataset.classes,
        train=Split(study.dataset, "train"),
        validation=Split(study.dataset, "validation"),
        board=study.device,
        seed=study.seed,
    )
    deliver_files(artifact_of(entry), study.output_dir)
    return dict(entry.value)


def answers_of(context: Context, study: Study, recipe: TaughtRecipe) -> Artifact:
    """What the recipe's shipped teacher says of the training images."""
    return artifact_of(
        context.run(
            answers,
            teacher=network_files(TEACHERS.folder(recipe.teacher)),
            images=Split(study.dataset, "train"),
            device=recipe.device,
        )
    )


def teacher(context: Context, study: Study) -> float:
    """Train the study's teacher; its accuracy. The card beside it tells of this run's command."""
    entry = context.run(
        train_teacher,
        imagenet=single_file(imagenet_file()),
        recipe=study.train_teacher,
        classes=study.dataset.classes,
        train=Split(study.dataset, "train"),
        validation=Split(study.dataset, "validation"),
        seed=study.seed,
    )
    deliver_files(artifact_of(entry), study.output_dir)
    place = study.output_dir / "record.json"
    made = {**json.loads(place.read_text(encoding="utf-8")), "overrides": list(study.overrides)}
    durable.write(place, json.dumps(made, indent=1) + "\n")
    durable.write(study.output_dir / "card.md", card("teacher", made))
    return accuracy_of(entry)
