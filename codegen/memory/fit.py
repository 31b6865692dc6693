"""How many samples fit a board, and what is missing where something does not fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from codegen.boards.board import Board
from codegen.ir import DTYPE_BYTES, Graph
from codegen.memory.map import MemoryMap, memory_map
from codegen.passes.prepare import prepare
from codegen.plan import Plan

# As src/config.hpp asserts: features of one image lie on the stack, beside the calls.
CALLS_BYTES = 2048
STACK_STEP_BYTES = 1024


@dataclass(frozen=True, eq=False)
class Fit:
    """An extractor as it runs on a board: its arena, and its memory by the size of the buffer."""

    graph: Graph
    plan: Plan
    classes: int
    board: Board

    def memory(self, buffer_samples: int) -> MemoryMap:
        """All of flash and RAM."""
        return memory_map(self.graph, self.plan, self.classes, buffer_samples, self.board)

    def shortfall(self, buffer_samples: int) -> dict[str, int]:
        """Missing bytes by memory, empty where all fits."""
        memory = self.memory(buffer_samples)
        missing = {
            "flash": memory.flash_bytes - self.board.flash_bytes,
            "RAM": memory.ram_bytes - self.board.ram_bytes,
        }
        return {name: size for name, size in missing.items() if size > 0}

    @property
    def most_samples(self) -> int:
        """The largest buffer that fits the RAM; 0 if not even one sample does."""
        free = self.board.ram_bytes - self.memory(0).ram_bytes
        low, high = 0, max(free, 0) + 1  # a sample takes at least one byte
        while high - low > 1:
            middle = (low + high) // 2
            fits = self.memory(middle).ram_bytes <= self.board.ram_bytes
            low, high = (middle, high) if fits else (low, middle)
        return low


def fit(graph: Graph, classes: int, board: Board) -> Fit:
    """Prepare ``graph`` for ``board``, whose stack is raised to hold a feature vector.

    Raises:
        ModelError: the compiler cannot take the graph.
    """
    graph, layout = prepare(graph)
    features_bytes = graph.output.elements * DTYPE_BYTES[graph.output.dtype]
    steps = -(-(features_bytes + CALLS_BYTES) // STACK_STEP_BYTES)
    stack_bytes = max(board.stack_bytes, steps * STACK_STEP_BYTES)
    if stack_bytes < board.ram_bytes:
        board = replace(board, stack_bytes=stack_bytes)
    return Fit(graph, layout, classes, board)
