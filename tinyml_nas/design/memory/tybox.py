"""The thesis's memory model: Ω in one RAM budget M (Lacava 2023, equations 3-5; TyBox)."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.boards.board import Board
from codegen.ir import Graph
from tinyml_nas.design.memory.base import check_max_buffer_samples, shortfall
from tinyml_nas.network.equations import omega_parts, sample_bytes
from tinyml_nas.types import MemoryReport


@dataclass(frozen=True)
class TyboxMemory:
    """Everything in one budget M, in bytes (``network.equations``).

    The buffer has what M_Φf and M_Φc leave, N_B = ⌊M_B / sample⌋ (equation 5). The equations leave
    out residual tensors that stay alive, the head's gradient, the stack and the code, and put
    constant weights in RAM: ``memory=mcu`` does not.

    Args:
        budget_bytes: M; the thesis keeps 830 kB of its 1 MB for Ω.
        max_buffer_samples: Upper limit of N_B, None for all that fits.
    """

    budget_bytes: int = 830_000
    max_buffer_samples: int | None = None

    def __post_init__(self) -> None:
        if self.budget_bytes < 1:
            raise ValueError(f"memory.budget_bytes: must be positive; got {self.budget_bytes}")
        check_max_buffer_samples(self.max_buffer_samples)

    def report(self, graph: Graph, classes: int, board: Board) -> MemoryReport:
        """Lay out Ω in the budget; the board plays no part."""
        del board
        parts, sample = omega_parts(graph, classes), sample_bytes(graph)
        samples = max(1, (self.budget_bytes - sum(parts.values())) // sample)
        if self.max_buffer_samples is not None:
            samples = min(samples, self.max_buffer_samples)
        memories = {"ram": {**parts, "buffer": samples * sample}}
        limits = {"ram": self.budget_bytes}
        return MemoryReport(
            model="tybox",
            parts=memories,
            limits=limits,
            buffer_samples=samples,
            sample_bytes=sample,
            shortfall=shortfall(memories, limits),
        )
