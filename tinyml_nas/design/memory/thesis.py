"""The thesis's memory model: Ω in one RAM budget M (Lacava 2023, equations 3-5; TyBox)."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.ir import Graph
from tinyml_nas.design.memory.base import Budget, check_max_buffer_samples
from tinyml_nas.network.equations import omega_parts, sample_bytes


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

    def budget(self, graph: Graph, classes: int) -> Budget:
        """M, and what the equations count of Ω."""
        parts = omega_parts(graph, classes)
        return Budget("memory.budget_bytes", self.budget_bytes, parts, sample_bytes(graph))
