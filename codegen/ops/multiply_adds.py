"""How many multiply-adds an operator takes, from shapes alone."""

from __future__ import annotations

from codegen.ir import Graph, Op
from codegen.ops import chain, inverted_residual, pooled

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


def multiply_adds(graph: Graph, op: Op) -> int:
    """Those of one operator; only operators with weights have any."""
    if op.kind == chain.KIND:
        extra = chain.extra_multiply_adds(graph, op)
        return extra + sum(multiply_adds(graph, stage) for stage in chain.stages_of(op))
    if op.kind == inverted_residual.KIND:
        return sum(multiply_adds(graph, stage) for stage in inverted_residual.stages_of(op))
    if op.kind == pooled.KIND:
        return multiply_adds(graph, pooled.stages_of(op)[0])
    outputs = graph.tensors[op.outputs[0]].elements
    if op.kind not in WEIGHTED:
        return 0
    weights = graph.tensors[op.inputs[1]]
    if op.kind == "TRANSPOSE_CONV":
        return graph.tensors[op.inputs[0]].elements * weights.elements // weights.shape[3]
    channels = weights.shape[3 if op.kind == "DEPTHWISE_CONV_2D" else 0]
    return outputs * weights.elements // channels
