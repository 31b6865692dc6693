"""The one place that sizes the replay buffer: how many samples fit, and what is missing where none does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from codegen.boards.board import Board
from codegen.ir import DTYPE_BYTES, Graph
from codegen.memory.map import FLOAT_BYTES, MemoryMap, memory_map, sample_bytes
from codegen.passes.prepare import prepare
from codegen.plan import Plan, arrange

# As src/config.hpp asserts: features of one image lie on the stack, beside the calls.
CALLS_BYTES = 2048
STACK_STEP_BYTES = 1024

RAM_KEY = "device.ram_bytes"
"""What bounds the buffer where nothing else does."""


@dataclass(frozen=True)
class Bound:
    """A buffer has at most ``samples`` samples, because of what ``key`` sets."""

    key: str
    samples: int


@dataclass(frozen=True)
class Size:
    """What Ω takes of a board, once and for all who tell it: report, generator and linker.

    ``buffer_samples`` is N_B, at least 1; ``bound`` is the key that keeps it from being larger.
    """

    board: Board
    buffer_samples: int
    sample_bytes: int
    bound: str
    memory: MemoryMap

    @property
    def limits(self) -> dict[str, int]:
        """Bytes that the board has of each memory."""
        return {"flash": self.board.flash_bytes, "ram": self.board.ram_bytes}

    @property
    def shortfall(self) -> dict[str, int]:
        """Missing bytes by memory, empty where all fits."""
        used = {"flash": self.memory.flash_bytes, "ram": self.memory.ram_bytes}
        return {
            name: used[name] - limit for name, limit in self.limits.items() if used[name] > limit
        }


@dataclass(frozen=True, eq=False)
class Fit:
    """An extractor as it runs on a board: its arena, and its memory by the size of the buffer."""

    graph: Graph
    plan: Plan
    classes: int
    board: Board
    class_names: tuple[str, ...] = ()

    @property
    def sample_bytes(self) -> int:
        """One sample of the buffer: its features and its label."""
        return sample_bytes(self.graph)

    @property
    def most_samples(self) -> int:
        """The largest buffer that fits the RAM; 0 if not even one sample does."""
        free = self.board.ram_bytes - self.memory(0).ram_bytes
        # The learner is padded to whole words.
        return max(free - free % FLOAT_BYTES, 0) // self.sample_bytes

    def memory(self, buffer_samples: int) -> MemoryMap:
        """All of flash and RAM."""
        return memory_map(
            self.graph, self.plan, self.classes, buffer_samples, self.board, self.class_names
        )

    def size(self, bounds: Iterable[Bound] = ()) -> Size:
        """The largest buffer that the board and ``bounds`` allow, or one of 1 that they do not."""
        bound = min((Bound(RAM_KEY, self.most_samples), *bounds), key=lambda bound: bound.samples)
        return self.of(max(bound.samples, 1), bound.key)

    def of(self, buffer_samples: int, bound: str) -> Size:
        """A buffer of so many samples, because of ``bound``."""
        memory = self.memory(buffer_samples)
        return Size(self.board, buffer_samples, self.sample_bytes, bound, memory)


def fit(graph: Graph, classes: int, board: Board, class_names: tuple[str, ...] = ()) -> Fit:
    """Prepare ``graph`` for ``board``, whose stack is raised to hold a feature vector.

    Raises:
        ModelError: the compiler cannot take the graph.
    """
    return Fit(*prepare(graph), classes, _with_stack(board, graph), class_names)


def fit_shapes(graph: Graph, classes: int, board: Board, class_names: tuple[str, ...] = ()) -> Fit:
    """As ``fit``, of a graph without data, which nothing can simplify: a little too large."""
    return Fit(*arrange(graph), classes, _with_stack(board, graph), class_names)


def _with_stack(board: Board, graph: Graph) -> Board:
    features_bytes = graph.output.elements * DTYPE_BYTES[graph.output.dtype]
    steps = -(-(features_bytes + CALLS_BYTES) // STACK_STEP_BYTES)
    stack_bytes = max(board.stack_bytes, steps * STACK_STEP_BYTES)
    if stack_bytes >= board.ram_bytes:
        return board  # the features alone do not fit, and the memory map says so
    return replace(board, stack_bytes=stack_bytes)
