"""Flash and RAM of the generated firmware, part by part, before a line of it is written.

Works on shapes alone, so that the search can ask it of every candidate. What is planned here is
what ``platform/main.cpp`` links to (``firmware.elf``); ``tests/codegen/memory/test_memory.py`` holds the
two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from codegen import ops
from codegen.boards.board import Board
from codegen.buffers.base import Shape
from codegen.ir import Graph
from codegen.learners.base import Learner, head_bytes
from codegen.memory.code_size import code_bytes
from codegen.plan import Plan

WORD_BYTES = 4  # to which gcc aligns arrays
# The application (platform/application.hpp): the frame in work, counts of accuracy for each class,
# the last image's features. The fixed part is exact, and asserted where it is compiled.
FIRMWARE_BYTES = 400
FIRMWARE_CLASS_BYTES = 8
# The counter of ticks, the drivers' state and padding. An upper bound, so that a filled board links:
# 12 to 16 bytes were measured, 124 with libm's state (SOFTMAX of reals).
DATA_BYTES = 192


@dataclass(frozen=True)
class MemoryMap:
    """Named parts of each memory, in bytes.

    Flash holds ``weights`` (all constants of the extractor: weights, biases, multipliers, tables),
    ``head`` (what the learner starts from), ``names`` (of the classes) and ``code``. RAM holds ``arena``, ``head``, ``buffer``,
    ``learner`` (what else it has), ``firmware`` (the state of the program around the model), ``data`` (what else is static) and ``stack``.
    """

    flash: Mapping[str, int]
    ram: Mapping[str, int]

    @property
    def flash_bytes(self) -> int:
        """All of flash."""
        return sum(self.flash.values())

    @property
    def ram_bytes(self) -> int:
        """All of RAM."""
        return sum(self.ram.values())

    def shortfall(self, board: Board) -> dict[str, int]:
        """Bytes that ``board`` lacks by memory, empty where all fits."""
        missing = {
            "flash": self.flash_bytes - board.flash_bytes,
            "ram": self.ram_bytes - board.ram_bytes,
        }
        return {name: count for name, count in missing.items() if count > 0}


def names_bytes(class_names: tuple[str, ...]) -> int:
    """Flash of the classes' names beyond that of no names (include/tinyml/identity.hpp).

    Each in UTF-8 and ended by a zero byte, one more at the end, in whole words.
    """
    text = sum(len(name.encode()) + 1 for name in class_names) + 1
    return text + -text % WORD_BYTES - WORD_BYTES


def memory_map(
    graph: Graph,
    plan: Plan,
    learner: Learner,
    shape: Shape,
    board: Board,
    class_names: tuple[str, ...] = (),
) -> MemoryMap:
    """The firmware's memory: ``graph`` as it is emitted (simplified), its ``plan``, and Ω's sizes.

    A graph of shapes only, which cannot be simplified and whose equal constants are not known, is
    planned a little too large.
    """
    firmware = FIRMWARE_BYTES + FIRMWARE_CLASS_BYTES * shape.classes + shape.feature_bytes
    ram = {
        "arena": plan.arena_bytes,
        **learner.ram(shape),
        "firmware": firmware + -firmware % WORD_BYTES,
        **({"input": graph.input.size_bytes} if graph.input.outside else {}),
        "data": DATA_BYTES,
        "stack": board.stack_bytes,
    }
    weights, code = _weights_and_code(graph, learner, replace(shape, buffer_samples=0), board)
    flash = {
        "weights": weights,
        "head": head_bytes(shape) + learner.flash(shape),
        "names": names_bytes(class_names),
        "code": code,
    }
    return MemoryMap(MappingProxyType(flash), MappingProxyType(ram))


@lru_cache(maxsize=1)
def _weights_and_code(
    graph: Graph, learner: Learner, shape: Shape, board: Board
) -> tuple[int, int]:
    """Bytes of both, whatever the buffer's size: that is tried often, and this takes all the time."""
    return ops.stored_bytes(graph), code_bytes(graph, learner, shape, board)
