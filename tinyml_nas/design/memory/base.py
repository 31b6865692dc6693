"""What a memory model says of Ω. ``conf/memory`` chooses one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from codegen.buffers.base import Shape
from codegen.ir import Graph
from codegen.learners.base import Learner


@dataclass(frozen=True)
class Budget:
    """One memory for all of Ω: its limit, what lies in it beside the buffer, and a sample, in bytes.

    ``key`` is the config key of the limit.
    """

    key: str
    limit_bytes: int
    parts: Mapping[str, int]
    sample_bytes: int

    @property
    def most_samples(self) -> int:
        """The largest buffer that the limit allows; 0 if no sample fits, or none is kept."""
        free = max(self.limit_bytes - sum(self.parts.values()), 0)
        return free // self.sample_bytes if self.sample_bytes else 0


class MemoryModel(Protocol):
    """Bounds the buffer, beside the RAM of the board, which no model can exceed."""

    @property
    def name(self) -> str:
        """What the model is called in results."""

    @property
    def max_buffer_samples(self) -> int | None:
        """Upper limit of N_B, None for all that fits."""

    def budget(self, graph: Graph, learner: Learner, shape: Shape) -> Budget | None:
        """What Ω takes of a budget of the model's own, None where it has none.

        Args:
            graph: Φ_f, from the image to the features ψ.
            learner: What learns on the device.
            shape: Of the head Φ_c.
        """


def check_max_buffer_samples(limit: int | None) -> None:
    """Refuse a limit that leaves no buffer; shared by the models.

    Raises:
        ValueError: naming the config key.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"memory.max_buffer_samples: must be at least 1, or null; got {limit}")
