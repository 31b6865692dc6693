"""Generate the C++ project of Ω."""

from __future__ import annotations

from pathlib import Path

from codegen.boards.board import Board
from codegen.project import LearnerSettings
from tinyml_nas.pipeline.inputs import device_inputs
from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Extractor


def generate(
    folder: Path,
    work: Path,
    *,
    name: str,
    extractor: Extractor,
    learner: LearnerSettings,
    board: Board,
    class_names: tuple[str, ...],
    images: Split,
    golden_images: int,
) -> dict[str, Json]:
    """The tree in ``project``, and the bytes that it takes of the board.

    The features of the first ``golden_images`` travel with it, for its self-test.
    """
    from codegen.emit.emitter import context_of, emit
    from codegen.project import Golden, Project
    from tinyml_nas.conversion import oracle
    from tinyml_nas.design.split import split

    graph, head = split(extractor)
    tflite = extractor.artifact.path / "extractor.tflite"
    inputs = device_inputs(images.load()[:golden_images], graph.input.shape[1], extractor.dtype)
    project = Project(
        name=name,
        graph=graph,
        head=head,
        learner=learner,
        board=board,
        golden=Golden(inputs, oracle.features(tflite, inputs)),
        class_names=class_names,
    )
    emit(project, folder / "project")
    emitted = context_of(project)
    memory, plan = emitted["memory"], emitted["plan"]
    return {
        "flash": memory.flash_bytes,
        "ram": memory.ram_bytes,
        "arena": plan.arena_bytes,
        "arena_unfused": plan.unfused_bytes,
        "fused_blocks": len(plan.fused),
    }
