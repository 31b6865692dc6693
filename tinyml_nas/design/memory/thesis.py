"""The thesis's memory model: Ω in one RAM budget M (Lacava 2023, equations 3-5; TyBox)."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.buffers.base import LABEL_BYTES, Shape
from codegen.ir import DTYPE_BYTES, Graph
from codegen.learners.base import Learner, head_bytes
from tinyml_nas.design.memory.base import Budget, check_max_buffer_samples
from tinyml_nas.network.equations import omega_parts


@dataclass(frozen=True)
class ThesisMemory:
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

    @property
    def name(self) -> str:
        """What it is called in results."""
        return "thesis"

    def budget(self, graph: Graph, learner: Learner, shape: Shape) -> Budget:
        """M, and what the equations count of Ω."""
        parts, sample = counted(graph, learner, shape), counted_sample(learner, shape)
        return Budget("memory.budget_bytes", self.budget_bytes, parts, sample)


def counted(graph: Graph, learner: Learner, shape: Shape) -> dict[str, int]:
    """What the equations count of Ω beside its samples, in bytes.

    They know a head and samples only. What another learner keeps and starts from beside its head, such as a
    covariance, counts as ``learner``, constants as well: all lies in one memory. First values of what it
    learns count no more than those of the head do, which the equations have once.
    """
    rest = learner.state_bytes(shape) - head_bytes(shape) + learner.constant_bytes(shape)
    parts = omega_parts(graph, shape.classes)
    return {**parts, "learner": rest} if rest else parts


def counted_sample(learner: Learner, shape: Shape) -> int:
    """A sample as equation 5 counts it: a label is as wide as a feature; 0 where none is kept."""
    sample = learner.sample_bytes(shape)
    return sample - LABEL_BYTES + DTYPE_BYTES[shape.dtype] if sample else 0
