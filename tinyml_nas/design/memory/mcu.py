"""The board's own memories: constants and code in flash, everything that changes in RAM."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.buffers.base import Shape
from codegen.ir import Graph
from codegen.learners.base import Learner
from tinyml_nas.design.memory.base import Budget, check_max_buffer_samples


@dataclass(frozen=True)
class McuMemory:
    """No budget but the board (``codegen.memory``): its RAM beside the program is the buffer's.

    The arena is what the generated program will use: residual and squeeze-excite tensors alive,
    outputs over inputs that die, and blocks fused where that lowers the peak. Whatever
    RAM the arena, the head, the learner's state, static data and the stack leave is the buffer's.

    Args:
        max_buffer_samples: Upper limit of N_B, None for all that fits.
    """

    max_buffer_samples: int | None = None

    def __post_init__(self) -> None:
        check_max_buffer_samples(self.max_buffer_samples)

    @property
    def name(self) -> str:
        """What it is called in results."""
        return "mcu"

    def budget(self, graph: Graph, learner: Learner, shape: Shape) -> Budget | None:
        """None: the board alone bounds the buffer."""
        del graph, learner, shape
        return None
