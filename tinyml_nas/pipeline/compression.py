"""From the network that was found to Φ: trained, pruned, and trained again in the steps that are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tinyml_nas.pipeline import bounds, trainings
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.results import artifact_of, model_of
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.finetune import finetune
from tinyml_nas.pipeline.stages.inherit import inherit
from tinyml_nas.pipeline.stages.prune import prune
from tinyml_nas.study import Study
from tinyml_nas.training.recipes import LARGEST, DistilledRecipe, FinetuneRecipe
from tinyml_nas.types import Artifact, TorchModel


@dataclass(frozen=True)
class Lesson:
    """How a network is trained, and who teaches it: a network, or the answers of another."""

    recipe: FinetuneRecipe
    teacher: Artifact | None = None
    answers: Artifact | None = None


def before_pruning(context: Context, study: Study, supernet: Mapping[str, Any]) -> Lesson:
    """That of an inherited network; ``supernet`` is what ``inherit`` is given of it."""
    return _by_own_teacher(context, study, supernet, study.finetune.before_pruning())


def after_pruning(
    context: Context, study: Study, supernet: Mapping[str, Any], own: Lesson, whole: TorchModel
) -> Lesson:
    """That of a pruned network: ``own`` again, or what the ``whole`` network can tell."""
    recipe = study.finetune.after_pruning()
    if study.finetune.recovery_teacher != "recipe":
        return Lesson(recipe, teacher=whole.artifact)
    if recipe == study.finetune.before_pruning():
        return own
    return _by_own_teacher(context, study, supernet, recipe)


def _by_own_teacher(
    context: Context, study: Study, supernet: Mapping[str, Any], recipe: FinetuneRecipe
) -> Lesson:
    if not isinstance(recipe, DistilledRecipe) or recipe.epochs == 0:  # nobody is asked in vain
        return Lesson(recipe)
    if recipe.teacher == LARGEST:
        largest = tuple(study.supernet.largest().tolist())
        taught_by = artifact_of(context.run(inherit, genes=largest, **supernet))
        return Lesson(recipe, teacher=taught_by)
    said = trainings.answers_of(context, study, recipe)
    return Lesson(replace(recipe, teacher=""), answers=said)  # known by its answers instead


def trained(context: Context, study: Study, network: Artifact, lesson: Lesson) -> TorchModel:
    """The network after its lesson."""
    return model_of(
        context.run(
            finetune,
            network=network,
            teacher=lesson.teacher,
            answers=lesson.answers,
            recipe=lesson.recipe,
            train=Split(study.dataset, "train"),
            validation=Split(study.dataset, "validation"),
            seed=study.seed,
        )
    )


def pruned(context: Context, study: Study, whole: TorchModel, lesson: Lesson) -> TorchModel:
    """Φ of a trained network; the network itself where pruning leaves it alone."""
    network = whole
    for step in range(1, study.pruning.steps + 1):
        smaller = artifact_of(
            context.run(
                prune,
                network=network.artifact,
                pruning=study.pruning,
                room=bounds.room(study),
                whole_bytes=whole.size_bytes,
                step=step,
                train=Split(study.dataset, "train"),
                validation=Split(study.dataset, "validation"),
                seed=study.seed,
            )
        )
        if smaller.digest != network.artifact.digest:  # what was left alone is not trained again
            network = trained(context, study, smaller, lesson)
    return network
