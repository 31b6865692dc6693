"""Ω, and the one answer to how large it is: what is reported is what is generated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from codegen.boards.board import Board
from codegen.ir import Graph
from codegen.learners.base import Learner, compiled_classes
from codegen.memory.fit import Bound, Fit, Size, fit, fit_shapes
from tinyml_nas.design.memory.base import MemoryModel
from tinyml_nas.design.memory.thesis import counted, counted_sample
from tinyml_nas.design.split import split
from tinyml_nas.network.graph import Dtype, graph_of
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.types import Extractor

SHAPES_TELL_WITHIN_BYTES = 4096
"""How much less flash or RAM a program may take than the shapes of its network tell: equal constants are
stored once, and rewrites of the graph need its data."""


@dataclass(frozen=True)
class MemoryReport:
    """How one memory model counts Ω: named parts of each memory, the limits that hold, in bytes.

    ``most_samples`` is the largest buffer under these limits alone; None where there is no limit.
    """

    parts: Mapping[str, Mapping[str, int]]
    limits: Mapping[str, int]
    sample_bytes: int
    most_samples: int | None

    @property
    def shortfall(self) -> dict[str, int]:
        """Bytes that each memory lacks; memories that suffice are left out."""
        missing = {memory: self.used(memory) - limit for memory, limit in self.limits.items()}
        return {memory: size for memory, size in missing.items() if size > 0}

    def used(self, memory: str) -> int:
        """Bytes used in one memory."""
        return sum(self.parts[memory].values())


@dataclass(frozen=True)
class OmegaSize:
    """How large Ω is. ``program`` has N_B, what bounds it, and the bytes of the board that Ω takes.

    ``reports`` are the same Ω as memory models count it: the thesis's equations, the chosen model and
    the board's own memories (``mcu``). Where not even one sample fits, the buffer has one.
    """

    memory_model: str
    program: Size
    reports: Mapping[str, MemoryReport]

    @property
    def buffer_samples(self) -> int:
        """N_B."""
        return self.program.buffer_samples

    @property
    def fits(self) -> bool:
        """Whether Ω keeps every limit: the board's, and the budget if there is one."""
        return not any(report.shortfall for report in self.reports.values())

    @property
    def surely_too_large(self) -> bool:
        """Of a size from shapes alone: whether the real one, in int8 or float, cannot fit either."""
        over_ram = self.program.shortfall.get("ram", 0)
        return over_ram > SHAPES_TELL_WITHIN_BYTES or self.whatever_the_arena

    @property
    def whatever_the_arena(self) -> bool:
        """As ``surely_too_large``, because of what a smaller arena does not change."""
        over = {name: report.shortfall for name, report in self.reports.items() if name != "mcu"}
        lacking, memory = self.program.shortfall, self.program.memory
        over_flash = lacking.get("flash", 0) - memory.flash["code"]
        over_ram = lacking.get("ram", 0) - memory.ram["arena"]
        return any(over.values()) or max(over_flash, over_ram) > SHAPES_TELL_WITHIN_BYTES


@dataclass(frozen=True)
class Omega:
    """Ω: an extractor, its head, and a buffer, on a board."""

    extractor: Extractor
    size: OmegaSize


def design(
    extractor: Extractor,
    learner: Learner,
    board: Board,
    memory: MemoryModel,
    class_names: tuple[str, ...] = (),
    bounds: Iterable[Bound] = (),
) -> Omega:
    """Size the buffer: the largest that board, learner, memory model and ``bounds`` all allow.

    A board that is too small is an answer: the size's reports say by how many bytes, in which
    memory, for a buffer of one sample.

    Raises:
        SplitError: the extractor's files are damaged or do not fit together.
        ModelError: the compiler cannot take the extractor.
    """
    graph, head = split(extractor)
    classes = compiled_classes(learner, head.classes)
    fitted = fit(graph, learner, classes, board, class_names)
    return Omega(extractor, size_of(graph, fitted, memory, bounds))


def size_of_shapes(
    spec: NetworkSpec,
    learner: Learner,
    board: Board,
    memory: MemoryModel,
    class_names: tuple[str, ...] = (),
    bounds: Iterable[Bound] = (),
    dtype: Dtype = "int8",
) -> OmegaSize:
    """The size of the Ω of a network that is yet to be trained and quantized to ``dtype``.

    To the byte under the thesis's equations, and within ``SHAPES_TELL_WITHIN_BYTES`` above the
    program's.
    """
    graph = graph_of(spec, dtype)
    classes = compiled_classes(learner, spec.classes)
    fitted = fit_shapes(graph, learner, classes, board, class_names)
    return size_of(graph, fitted, memory, bounds)


def size_of(graph: Graph, fitted: Fit, memory: MemoryModel, bounds: Iterable[Bound]) -> OmegaSize:
    """``graph`` as the model counts it, ``fitted`` as it runs."""
    learner, shape = fitted.learner, fitted.shape(0)
    budget = memory.budget(graph, learner, shape)
    limits = list(bounds)
    if budget is not None:
        limits.append(Bound(budget.key, budget.most_samples))
    if memory.max_buffer_samples is not None:
        limits.append(Bound("memory.max_buffer_samples", memory.max_buffer_samples))
    program = fitted.size(limits)
    samples, parts = program.buffer_samples, counted(graph, learner, shape)
    sample = counted_sample(learner, shape)
    reports = {"thesis": MemoryReport(_shared(parts, samples * sample), {}, sample, None)}
    if budget is not None:
        reports[memory.name] = MemoryReport(
            parts=_shared(budget.parts, samples * budget.sample_bytes),
            limits={"ram": budget.limit_bytes},
            sample_bytes=budget.sample_bytes,
            most_samples=budget.most_samples,
        )
    reports["mcu"] = MemoryReport(
        parts={"flash": dict(program.memory.flash), "ram": dict(program.memory.ram)},
        limits=program.limits,
        sample_bytes=program.sample_bytes,
        most_samples=fitted.most_samples,
    )
    return OmegaSize(memory.name, program, reports)


def _shared(parts: Mapping[str, int], buffer_bytes: int) -> dict[str, dict[str, int]]:
    return {"ram": {**parts, "buffer": buffer_bytes}}
