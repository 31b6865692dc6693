"""Means run as soon as they can, so that a map which nothing else reads any more makes room."""

from __future__ import annotations

from dataclasses import replace

from codegen.ir import Graph, Op

REDUCTIONS = ("MEAN", "REDUCE_MAX")


def early(graph: Graph) -> Graph:
    """The graph with each reduction that is the last to read a map right behind what makes the map.

    Converters write side branches behind everything else: a map that is pooled there for the output's
    sake would live until the end.
    """
    last_reader = {index: op for op in graph.ops for index in op.inputs}
    moved = [op for op in graph.ops if op.kind in REDUCTIONS and last_reader[op.inputs[0]] is op]
    behind: dict[int, list[Op]] = {}
    for op in moved:
        behind.setdefault(op.inputs[0], []).append(op)
    staying = (op for op in graph.ops if not any(op is other for other in moved))
    ops = [op for index in graph.inputs for op in _with(behind, index)]
    for op in staying:
        ops += [op, *(later for index in op.outputs for later in _with(behind, index))]
    return replace(graph, ops=tuple(ops))


def _with(behind: dict[int, list[Op]], index: int) -> list[Op]:
    """What follows a tensor, and what follows that."""
    return [
        op
        for first in behind.get(index, [])
        for op in (first, *(later for out in first.outputs for later in _with(behind, out)))
    ]
