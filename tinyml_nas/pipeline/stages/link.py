"""Link a project for its board."""

from __future__ import annotations

from pathlib import Path

from codegen.boards.board import Board
from tinyml_nas.pipeline.compilers import TargetCompiler
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def link(
    folder: Path, work: Path, *, project: Artifact, board: Board, compiler: TargetCompiler
) -> dict[str, Json]:
    """The ``flash`` and ``ram`` that the linked firmware takes, in bytes."""
    size = compiler.link(project.path, board, work / "build")
    return {"flash": size.flash_bytes, "ram": size.ram_bytes}
