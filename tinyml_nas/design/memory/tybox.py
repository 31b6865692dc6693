"""The thesis's memory model: Ω in one RAM budget M (Lacava 2023, equations 3-5; TyBox)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from codegen.board import Board
from codegen.ir import Graph
from tinyml_nas.design.memory.base import check_max_buffer_samples, shortfall
from tinyml_nas.types import MemoryReport

# Operators with trained weights, inputs 1 and 2. Other constants (shapes, axes, lookup tables) are
# no parameters.
_WITH_PARAMETERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_HEAD_ELEMENT_BYTES = 4


@dataclass(frozen=True)
class TyboxMemory:
    """Everything in one budget M, in bytes.

    With w = 1 for an int8 Φ_f and w = 4 for a float one::

        M_Φf = Σ_k params_k · w + max_k (act_k + act_(k+1)) · w       (equation 3)
        M_Φc = Σ_k (params_k + act_k) · 4                             (equation 4)
        M_B  = M - M_Φf - M_Φc,   N_B = ⌊M_B / ((features + 1) · w)⌋  (equation 5)

    act_0 is the image and act_k what the k-th operator puts out; a bias counts as one element of w
    bytes. The equations leave out residual tensors that stay alive, the head's gradient, the stack
    and the code, and put constant weights in RAM: ``memory=mcu`` does not.

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
        element_bytes = 1 if graph.output.dtype == "int8" else 4
        features = graph.output.elements
        parts = {
            "extractor_weights": parameters(graph) * element_bytes,
            "extractor_activations": activation_pair(graph) * element_bytes,
            "head_weights": (features + 1) * classes * _HEAD_ELEMENT_BYTES,
            "head_activations": classes * _HEAD_ELEMENT_BYTES,
        }
        sample_bytes = (features + 1) * element_bytes
        samples = max(1, (self.budget_bytes - sum(parts.values())) // sample_bytes)
        if self.max_buffer_samples is not None:
            samples = min(samples, self.max_buffer_samples)
        memories = {"ram": {**parts, "buffer": samples * sample_bytes}}
        limits = {"ram": self.budget_bytes}
        return MemoryReport(
            model="tybox",
            parts=memories,
            limits=limits,
            buffer_samples=samples,
            sample_bytes=sample_bytes,
            shortfall=shortfall(memories, limits),
        )


def parameters(graph: Graph) -> int:
    """Σ_k params_k: elements of all weights and biases; a tensor that is shared counts once."""
    constants = {
        index
        for op in graph.ops
        if op.kind in _WITH_PARAMETERS
        for index in op.inputs[1:3]
        if index >= 0 and graph.tensors[index].constant
    }
    return sum(graph.tensors[index].elements for index in constants)


def activation_pair(graph: Graph) -> int:
    """max_k (act_k + act_(k+1)): the most elements of two neighbours in execution order."""
    outputs = [sum(graph.tensors[index].elements for index in op.outputs) for op in graph.ops]
    return max(a + b for a, b in pairwise([graph.input.elements, *outputs]))
