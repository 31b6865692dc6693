"""Search the supernet's networks for the best that keeps the limits."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from codegen import durable
from codegen.boards.board import Board
from tinyml_nas.pipeline.expected import Expected
from tinyml_nas.pipeline.split import Split
from tinyml_nas.search.base import Strategy
from tinyml_nas.store.digest import Json
from tinyml_nas.supernet.checkpoint import UNTRAINED
from tinyml_nas.supernet.spaces import AnySpace
from tinyml_nas.types import Artifact


def search(
    folder: Path,
    work: Path,
    *,
    strategy: Strategy,
    supernet: AnySpace,
    checkpoint: Artifact | None,
    classes: int,
    train: Split,
    validation: Split,
    board: Board,
    expected: Expected,
    seed: int,
) -> dict[str, Json]:
    """The ``chosen`` candidate, the ``images`` that scored it, ``evaluations``, and ``failures`` by reason.

    Memory is counted of a network as it is ``expected`` to be deployed. The whole archive and front
    stand in ``search.json``.

    Raises:
        Infeasible: no evaluated network keeps the limits.
    """
    from tinyml_nas.supernet.files import load_supernet
    from tinyml_nas.supernet.problem import SupernetProblem

    path = UNTRAINED if checkpoint is None else str(checkpoint.path)
    weights = load_supernet(replace(supernet, checkpoint=path), classes, train.dataset.class_names)
    scored = validation.load()[: strategy.images]
    problem = SupernetProblem(weights, train.load(), scored, board, expected.cost)
    found = strategy.search(problem, np.random.default_rng(seed), work)
    durable.write(folder / "search.json", json.dumps(asdict(found), indent=1))
    return {
        "chosen": asdict(found.chosen),
        "images": len(scored),
        "evaluations": len(found.archive),
        "failures": found.failures,
    }
