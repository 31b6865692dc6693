"""Where each activation lives in the arena, and in which order the operators run.

    plan     the order, then offsets; works on shapes alone
    verify   an independent check of a plan, byte by byte

``docs/memory-model.md`` explains the ideas.
"""

from __future__ import annotations

from codegen.ir import Graph
from codegen.plan.lifetimes import Lifetimes, lifetimes, sharing_of
from codegen.plan.offsets import pack
from codegen.plan.order import better_order
from codegen.plan.types import ALIGNMENT_BYTES, Plan, PlanError
from codegen.plan.verify import verify

__all__ = ["ALIGNMENT_BYTES", "Plan", "PlanError", "plan", "verify"]

SEARCH_NODES = 200  # per decision of the branch and bound: milliseconds


def plan(graph: Graph, nodes: int = SEARCH_NODES) -> Plan:
    """Order the operators and lay out every activation, the input and the output included.

    ``nodes`` bounds the search for offsets; the same arguments give the same plan.
    """
    sharing = sharing_of(graph)
    lives = lifetimes(graph, range(len(graph.ops)), sharing)
    best = _with_offsets(graph, tuple(range(len(graph.ops))), lives, nodes)
    order = better_order(graph, sharing, max(lives.needs))
    if order is not None:
        other = _with_offsets(graph, order, lifetimes(graph, order, sharing), nodes)
        best = min(best, other, key=lambda made: made.arena_bytes)
    return best


def _with_offsets(
    graph: Graph, order: tuple[int, ...], lives: Lifetimes, nodes: int
) -> Plan:
    packing = pack(lives, nodes)
    offsets: list[int | None] = [None] * len(graph.tensors)
    scratch: list[int | None] = [None] * len(graph.ops)
    for block, offset in zip(lives.blocks, packing.offsets, strict=True):
        for index in block.tensors:
            offsets[index] = offset
        if block.scratch_of is not None:
            scratch[block.scratch_of] = offset
    return Plan(
        offsets=tuple(offsets),
        scratch=tuple(scratch),
        order=order,
        arena_bytes=packing.extent,
        lower_bound_bytes=packing.bound,
        optimal=packing.bound == packing.extent,
        live_bytes=max(lives.live, default=0),
        unfused_bytes=packing.extent,
    )
