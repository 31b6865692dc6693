"""Ω: how many samples the buffer B may hold on a board."""

from __future__ import annotations

from codegen.boards.board import Board
from tinyml_nas.design.memory.base import MemoryModel
from tinyml_nas.design.split import split
from tinyml_nas.types import Extractor, Omega


def design(extractor: Extractor, board: Board, memory: MemoryModel) -> Omega:
    """Size the buffer under a memory model.

    A board that is too small is an answer: ``Omega.memory.shortfall`` says by how many bytes, in
    which memory, for a buffer of one sample.

    Raises:
        SplitError: the extractor's files are damaged or do not fit together.
    """
    graph, head = split(extractor)
    report = memory.report(graph, head.classes, board)
    return Omega(extractor=extractor, buffer_samples=report.buffer_samples, memory=report)
