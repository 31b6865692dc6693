"""Train a network on; also recovers what pruning lost."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.pipeline.networks import load_network, save_network
from tinyml_nas.pipeline.split import Split
from tinyml_nas.progress import reported
from tinyml_nas.store.digest import Json
from tinyml_nas.training.base import Recipe
from tinyml_nas.types import Artifact


def finetune(
    folder: Path,
    work: Path,
    *,
    network: Artifact,
    teacher: Artifact | None,
    answers: Artifact | None,
    recipe: Recipe,
    train: Split,
    validation: Split,
    seed: int,
) -> dict[str, Json]:
    """The trained network, the ``curve`` of its loss, and the ``hardware``; see ``save_network``.

    It learns from a ``teacher``'s logits, or from the ``answers`` of one that was asked before.
    """
    from tinyml_nas.network.files import load
    from tinyml_nas.training import loop as training
    from tinyml_nas.training.answers import FILE, read_answers
    from tinyml_nas.training.hardware import hardware

    trained = load_network(network.path)
    taught_by = None if teacher is None else load(teacher.path)
    said = None if answers is None else read_answers(answers.path / FILE)
    with reported("finetune") as report:
        curve = training.finetune(
            trained, train.load(), recipe, work, seed, report, taught_by, said
        )
    made_on = hardware(training.device_of(recipe))
    return {**save_network(trained, folder, validation), "curve": curve, "hardware": made_on}
