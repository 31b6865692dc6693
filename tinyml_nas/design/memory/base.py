"""What a memory model says of Ω. ``conf/memory`` chooses one."""

from __future__ import annotations

from typing import Protocol

from codegen.boards.board import Board
from codegen.ir import Graph
from tinyml_nas.types import MemoryReport


class MemoryModel(Protocol):
    """Sizes the buffer: N_B is the largest number of samples that fits."""

    def report(self, graph: Graph, classes: int, board: Board) -> MemoryReport:
        """Lay out Ω on a board.

        Args:
            graph: Φ_f, from the image to the features ψ.
            classes: Outputs of the head Φ_c.
            board: Where Ω is to live.

        Returns:
            The parts with the buffer that fits. Where not even one sample does, the parts with a
            buffer of one, and by how many bytes each memory is too small for them.
        """


def check_max_buffer_samples(limit: int | None) -> None:
    """Refuse a limit that leaves no buffer; shared by the models.

    Raises:
        ValueError: naming the config key.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"memory.max_buffer_samples: must be at least 1, or null; got {limit}")


def shortfall(parts: dict[str, dict[str, int]], limits: dict[str, int]) -> dict[str, int]:
    """Bytes that each memory lacks; memories that suffice are left out."""
    used = {memory: sum(sizes.values()) for memory, sizes in parts.items()}
    return {
        memory: used[memory] - limit for memory, limit in limits.items() if used[memory] > limit
    }
