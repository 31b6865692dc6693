"""The one place that sizes the replay buffer: how many samples fit, and what is missing where none does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from codegen.boards.board import Board
from codegen.buffers.base import Shape
from codegen.ir import DTYPE_BYTES, Graph
from codegen.learners.base import Learner, check_samples
from codegen.memory.map import WORD_BYTES, MemoryMap, memory_map
from codegen.memory.work import Work, quicker, work_of
from codegen.passes.prepare import prepare
from codegen.plan import Plan, arrange

# As src/config.hpp asserts: features of one image lie on the stack, beside the calls.
CALLS_BYTES = 2048
STACK_STEP_BYTES = 1024

RAM_KEY = "device.ram_bytes"
"""What bounds the buffer where nothing else does."""
LEARNER_KEY = "learner"
"""What bounds the buffer of a learner that keeps fewer samples than there is room for."""


@dataclass(frozen=True)
class Bound:
    """A buffer has at most ``samples`` samples, because of what ``key`` sets."""

    key: str
    samples: int


@dataclass(frozen=True)
class Size:
    """What Ω takes of a board, once and for all who tell it: report, generator and linker.

    ``buffer_samples`` is N_B, at least 1 where the learner keeps any; ``bound`` is the key that keeps
    it from being larger. ``quicker`` is what to set of a learner whose step with a full buffer takes long; see
    ``work.quicker``.
    """

    board: Board
    buffer_samples: int
    sample_bytes: int
    bound: str
    memory: MemoryMap
    quicker: Mapping[str, int]

    @property
    def limits(self) -> dict[str, int]:
        """Bytes that the board has of each memory."""
        return {"flash": self.board.flash_bytes, "ram": self.board.ram_bytes}

    @property
    def shortfall(self) -> dict[str, int]:
        """Missing bytes by memory, empty where all fits."""
        return self.memory.shortfall(self.board)


@dataclass(frozen=True, eq=False)
class Fit:
    """An extractor and a learner on a board: the arena, and all memory by the size of the buffer.

    ``classes`` are those that are compiled in.
    """

    graph: Graph
    plan: Plan
    learner: Learner
    classes: int
    board: Board
    class_names: tuple[str, ...] = ()

    @property
    def sample_bytes(self) -> int:
        """One sample of the buffer; 0 where the learner keeps none."""
        return self.learner.sample_bytes(self.shape(0))

    @property
    def most_samples(self) -> int:
        """The largest buffer that fits the RAM and that the learner fills; 0 if no sample fits."""
        free = self.board.ram_bytes - self.memory(0).ram_bytes
        # The learner is padded to whole words.
        room = max(free - free % WORD_BYTES, 0)
        return min(room // self.sample_bytes, self.learner.most_samples) if self.sample_bytes else 0

    def shape(self, buffer_samples: int) -> Shape:
        """What the learner's bytes depend on."""
        output = self.graph.output
        return Shape(output.elements, self.classes, output.dtype, buffer_samples)

    def memory(self, buffer_samples: int) -> MemoryMap:
        """All of flash and RAM."""
        shape = self.shape(buffer_samples)
        return memory_map(self.graph, self.plan, self.learner, shape, self.board, self.class_names)

    def work(self, buffer_samples: int) -> Work:
        """Instructions and stack, with a full buffer."""
        return work_of(self.graph, self.learner, self.shape(buffer_samples), self.board)

    def size(self, bounds: Iterable[Bound] = ()) -> Size:
        """The largest buffer that board, learner and ``bounds`` allow, or one of 1 that they do not."""
        most = self.learner.most_samples
        room = Bound(LEARNER_KEY if self.most_samples == most else RAM_KEY, self.most_samples)
        bound = min((room, *bounds), key=lambda bound: bound.samples)
        return self.of(max(bound.samples, min(most, 1)), bound.key)

    def of(self, buffer_samples: int, bound: str) -> Size:
        """A buffer of so many samples, because of ``bound``.

        Raises:
            ValueError: the learner cannot have it; names ``bound``.
        """
        check_samples(bound, self.learner, buffer_samples)
        memory = self.memory(buffer_samples)
        told = quicker(self.learner, self.shape(buffer_samples), self.board)
        return Size(self.board, buffer_samples, self.sample_bytes, bound, memory, told)


def fit(
    graph: Graph,
    learner: Learner,
    classes: int,
    board: Board,
    class_names: tuple[str, ...] = (),
) -> Fit:
    """Prepare ``graph`` for ``board``, whose stack is raised to hold a feature vector.

    ``classes`` are those that are compiled in. Where the RAM is too small, operators run in chains that compute nothing twice.

    Raises:
        ModelError: the compiler cannot take the graph.
    """
    fitted = _prepared(graph, board.ram_first, learner, classes, board, class_names)
    if board.ram_first or not fitted.of(min(learner.most_samples, 1), "").shortfall.get("ram"):
        return fitted
    return _prepared(graph, 1.0, learner, classes, board, class_names)


def _prepared(
    graph: Graph,
    ram_first: float,
    learner: Learner,
    classes: int,
    board: Board,
    class_names: tuple[str, ...],
) -> Fit:
    ready = prepare(graph, ram_first)
    return Fit(*ready, learner, classes, _with_stack(board, graph), class_names)


def fit_shapes(
    graph: Graph,
    learner: Learner,
    classes: int,
    board: Board,
    class_names: tuple[str, ...] = (),
) -> Fit:
    """As ``fit``, of a graph without data, which nothing can simplify: a little too large."""
    ready = arrange(graph, ram_first=board.ram_first)
    return Fit(*ready, learner, classes, _with_stack(board, graph), class_names)


def _with_stack(board: Board, graph: Graph) -> Board:
    features_bytes = graph.output.elements * DTYPE_BYTES[graph.output.dtype]
    steps = -(-(features_bytes + CALLS_BYTES) // STACK_STEP_BYTES)
    stack_bytes = max(board.stack_bytes, steps * STACK_STEP_BYTES)
    if stack_bytes >= board.ram_bytes:
        return board  # the features alone do not fit, and the memory map says so
    return replace(board, stack_bytes=stack_bytes)
