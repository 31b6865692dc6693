"""The generated program's own memory: constants and code in flash, everything that changes in RAM."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.boards.board import Board
from codegen.ir import Graph
from tinyml_nas.design.memory.base import check_max_buffer_samples, shortfall
from tinyml_nas.types import MemoryReport


@dataclass(frozen=True)
class McuMemory:
    """Flash and RAM as the generator plans them (``codegen.plan``, ``codegen.memory.map``).

    The arena is what the generated program will use: residual and squeeze-excite tensors alive,
    outputs over inputs that die, and blocks fused where that lowers the peak. Whatever
    RAM the arena, the head, the learner's state, static data and the stack leave is the buffer's.

    Args:
        max_buffer_samples: Upper limit of N_B, None for all that fits.
    """

    max_buffer_samples: int | None = None

    def __post_init__(self) -> None:
        check_max_buffer_samples(self.max_buffer_samples)

    def report(self, graph: Graph, classes: int, board: Board) -> MemoryReport:
        """Lay out Ω in the board's flash and RAM."""
        from codegen.memory.map import memory_map
        from codegen.plan import arrange

        arranged, planned = arrange(graph)
        limits = {"flash": board.flash_bytes, "ram": board.ram_bytes}

        def parts(samples: int) -> dict[str, dict[str, int]]:
            layout = memory_map(arranged, planned, classes, samples, board)
            return {"flash": dict(layout.flash), "ram": dict(layout.ram)}

        fits, too_many = 0, (self.max_buffer_samples or board.ram_bytes) + 1
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            if "ram" in shortfall(parts(middle), limits):
                too_many = middle
            else:
                fits = middle
        samples = max(1, fits)
        memories = parts(samples)
        return MemoryReport(
            model="mcu",
            parts=memories,
            limits=limits,
            buffer_samples=samples,
            sample_bytes=parts(samples + 1)["ram"]["buffer"] - memories["ram"]["buffer"],
            shortfall=shortfall(memories, limits),
        )
