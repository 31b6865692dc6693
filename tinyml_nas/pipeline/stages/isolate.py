"""Generate the program of a learner by itself."""

from __future__ import annotations

from pathlib import Path

from codegen.boards.board import Board
from codegen.learners.base import Learner
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact, Extractor


def isolate(
    folder: Path,
    work: Path,
    *,
    extractor: Extractor,
    learner: Learner,
    buffer_samples: int,
    board: Board,
    statistics: Artifact | None,
) -> dict[str, Json]:
    """The tree in ``project``: it starts from the extractor's head and learns from its features, which it is given."""
    from codegen.alone import alone
    from codegen.emit.emitter import emit
    from codegen.learners.statistics import FILE, Statistics
    from tinyml_nas.design.split import split

    graph, head = split(extractor)
    found = None if statistics is None else Statistics.read(statistics.path / FILE)
    features = graph.output
    emit(
        alone(learner, head, features.dtype, features.quantization, buffer_samples, board, found),
        folder / "project",
    )
    return {}
