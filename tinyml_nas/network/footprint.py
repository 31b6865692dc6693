"""What a network costs on a board: the planner's flash and SRAM, beside the counts of ``cost``."""

from __future__ import annotations

from codegen.boards.board import Board
from codegen.learners.tinyol import TinyOL
from codegen.memory.fit import fit_shapes
from tinyml_nas.network.cost import layers
from tinyml_nas.network.equations import omega_parts, sample_bytes
from tinyml_nas.network.graph import Dtype, graph_of
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.types import Footprint

_SMALLEST = TinyOL(learning_rate=1.0)
"""What learns in every network that is searched: a head and one sample."""


def footprint(
    spec: NetworkSpec,
    board: Board,
    deployed: NetworkSpec | None = None,
    dtype: Dtype = "int8",
    buffer_samples: int = 1,
) -> Footprint:
    """What a network costs: counts of ``spec`` itself, memory of what is ``deployed`` of it on ``board``.

    Memory is that of Ω with a head and ``buffer_samples``, whatever keeps them.
    """
    costs = list(layers(spec))
    deployed = deployed or spec
    graph = graph_of(deployed, dtype)
    fitted = fit_shapes(graph, _SMALLEST, spec.classes, board)
    memory, more = fitted.memory(1), (buffer_samples - 1) * fitted.sample_bytes
    return Footprint(
        parameters=sum(layer.parameters for layer in costs),
        macs=sum(layer.macs for layer in costs),
        activations=sum(layer.outputs for layer in costs),
        flash_bytes=memory.flash_bytes,
        sram_bytes=memory.ram_bytes + more,
        omega_bytes=sum(omega_parts(graph, spec.classes).values())
        + buffer_samples * sample_bytes(graph),
    )
