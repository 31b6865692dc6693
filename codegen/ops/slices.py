"""SLICE and STRIDED_SLICE: a part of a tensor, every so many elements, forwards or backwards."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.ir import Graph, Op
from codegen.ops.base import (
    Call,
    Operator,
    output_of,
    require,
    require_activations,
    require_inputs,
)
from codegen.ops.copying import copy_call, merged, strides_of
from codegen.ops.region import Region, region_of


@dataclass(frozen=True)
class Slice(Operator):
    """Copies codes as they are; SPLIT and UNPACK are made of it, too."""

    operands: int

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse rescaling, and a region that is not known or not the output's."""
        require_inputs(op, self.operands, self.operands)
        require_activations(graph, op)
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        require(not source.constant, source, "must not be constant")
        require(source.quantization == output.quantization, output, "must keep its input's scale")
        if any(graph.tensors[i].data is None for i in op.inputs[1:]):
            for index in op.inputs[1:]:
                require(graph.tensors[index].constant, graph.tensors[index], "must be constant")
            return
        region = region_of(graph, op)
        require(region.shape == output.shape, output, f"must be {region.shape}")
        merged(region.counts, _steps(source.shape, region))

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``strided_copy``."""
        shape, region = graph.tensors[op.inputs[0]].shape, region_of(graph, op)
        start = sum(
            first * step for first, step in zip(region.starts, strides_of(shape), strict=True)
        )
        return copy_call(graph, op, start, region.counts, _steps(shape, region))


def _steps(shape: tuple[int, ...], region: Region) -> tuple[int, ...]:
    return tuple(apart * step for apart, step in zip(strides_of(shape), region.steps, strict=True))


SLICE = Slice(3)
STRIDED_SLICE = Slice(4)
