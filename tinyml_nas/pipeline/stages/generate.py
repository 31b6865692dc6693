"""Generate the C++ project of Ω."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from codegen import durable
from codegen.boards.board import Board
from codegen.learners.base import Learner
from tinyml_nas.pipeline.inputs import device_inputs
from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.types import STANDARD, Artifact, Extractor, Seen

ARENA_FILE = "arena.json"

Parts = Mapping[str, Mapping[str, int]]


class NotAsReportedError(Exception):
    """A program would take other bytes of its board than the report says: a defect, never shipped."""


def generate(
    folder: Path,
    work: Path,
    *,
    name: str,
    extractor: Extractor,
    learner: Learner,
    buffer_samples: int,
    board: Board,
    class_names: tuple[str, ...],
    images: Split,
    golden_images: int,
    reported: Parts,
    statistics: Artifact | None = None,
) -> dict[str, Json]:
    """The tree in ``project``, and the bytes that it takes of the board; ``arena.json`` says what lies where.

    The features of the first ``golden_images`` travel with it, for its self-test. ``statistics`` are what
    ``summarise`` found, for learners that start from them.

    Raises:
        NotAsReportedError: the parts of flash and RAM are not those that were ``reported`` of Ω.
    """
    from codegen.emit.emitter import context_of, emit
    from codegen.learners.statistics import FILE, Statistics
    from codegen.normalisation import Normalisation
    from codegen.plan.occupancy import occupancy
    from codegen.project import Golden, Project
    from tinyml_nas.conversion import oracle
    from tinyml_nas.design.split import EXTRACTOR_FILE, split

    graph, head = split(extractor)
    seen = extractor.seen
    tflite = extractor.artifact.path / EXTRACTOR_FILE
    inputs = device_inputs(
        images.load()[:golden_images], graph.input.shape[1], extractor.dtype, extractor.seen
    )
    project = Project(
        name=name,
        graph=graph,
        head=head,
        learner=learner,
        buffer_samples=buffer_samples,
        board=board,
        golden=Golden(inputs, oracle.features(tflite, inputs)),
        class_names=class_names,
        statistics=None if statistics is None else Statistics.read(statistics.path / FILE),
        normalisation=Normalisation.of(seen.mean, seen.std, graph.input, _origin(seen)),
    )
    about_to_emit = context_of(project)
    memory, plan = about_to_emit["memory"], about_to_emit["plan"]
    check_reported({"flash": memory.flash, "ram": memory.ram}, reported)
    emit(project, folder / "project")
    operators, blocks = occupancy(about_to_emit["graph"], plan)
    chart = {"operators": operators, "blocks": [asdict(block) for block in blocks]}
    durable.write(folder / ARENA_FILE, json.dumps(chart) + "\n")
    return {
        "flash": memory.flash_bytes,
        "ram": memory.ram_bytes,
        "arena": plan.arena_bytes,
        "arena_unfused": plan.unfused_bytes,
        "fused_blocks": len(plan.fused),
    }


def _origin(seen: Seen) -> str:
    return "as TinyML NAS trains" if seen == STANDARD else "as it was trained"


def check_reported(planned: Parts, reported: Parts) -> None:
    """Refuse to emit what is not what was reported, byte for byte.

    Raises:
        NotAsReportedError: naming each part that differs, with both figures.
    """
    names = sorted(
        {
            (memory, part)
            for parts in (planned, reported)
            for memory in parts
            for part in parts[memory]
        }
    )
    differences = [
        f"{memory} {part}: {planned.get(memory, {}).get(part)}, reported {reported.get(memory, {}).get(part)}"
        for memory, part in names
        if planned.get(memory, {}).get(part) != reported.get(memory, {}).get(part)
    ]
    if differences:
        raise NotAsReportedError(
            "generate: the program would not have the bytes that were reported of it: "
            + "; ".join(differences)
        )
