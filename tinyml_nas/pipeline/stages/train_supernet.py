"""Train a supernet, the weights of every network that a search evaluates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from codegen import durable
from codegen.boards.board import Board
from tinyml_nas.pipeline.split import Split
from tinyml_nas.progress import reported
from tinyml_nas.store.digest import Json
from tinyml_nas.supernet.spaces import AnySpace
from tinyml_nas.training.recipes import SupernetRecipe
from tinyml_nas.types import Artifact


def train_supernet(
    folder: Path,
    work: Path,
    *,
    name: str,
    supernet: AnySpace,
    recipe: SupernetRecipe,
    extends: Artifact | None,
    imagenet: Artifact | None,
    start: Artifact | None,
    answers: Artifact | None,
    classes: int,
    train: Split,
    validation: Split,
    board: Board,
    seed: int,
) -> dict[str, Json]:
    """Weights, their record and card, and what a longer run ``extends``.

    They start from ``imagenet``'s where the space does, or from those of another supernet (``start``),
    and learn from a teacher's ``answers`` if there are any.

    Returns the accuracies of the ``smallest`` and the ``largest`` network.
    """
    from tinyml_nas.cards.supernet import card
    from tinyml_nas.supernet.families import untrained
    from tinyml_nas.supernet.files import adopt, load_supernet, save_supernet
    from tinyml_nas.supernet.problem import SupernetProblem
    from tinyml_nas.supernet.record import record
    from tinyml_nas.supernet.train import train_supernet as run
    from tinyml_nas.training.answers import FILE, read_answers
    from tinyml_nas.training.state import PLATEAU_STATE

    recipe = replace(recipe, extends=None if extends is None else extends.path)
    weights = untrained(supernet, classes, seed, None if imagenet is None else imagenet.path)
    if start is not None:
        adopt(weights, start.path)
    said = None if answers is None else read_answers(answers.path / FILE)
    with reported("supernet") as report:
        curve = run(weights, train.load(), recipe, work, seed, report, said)
    trained = folder / "supernet.safetensors"
    save_supernet(weights, trained, train.dataset.class_names)
    if (work / PLATEAU_STATE).exists():
        durable.copy(work / PLATEAU_STATE, folder / PLATEAU_STATE)
    # Scored in float16, as it ships.
    weights = load_supernet(
        replace(supernet, checkpoint=str(trained)), classes, train.dataset.class_names
    )
    problem = SupernetProblem(weights, train.load(), validation.load(), board)
    made = record(problem, recipe, curve, train.digest, seed)
    if start is not None:
        made["started_from"] = start.digest
    durable.write(folder / "supernet.json", json.dumps(made, indent=1) + "\n")
    durable.write(folder / "supernet.md", card(name, made))
    return {network: made[network]["accuracy"] for network in ("smallest", "largest")}
