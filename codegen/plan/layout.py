"""Order, then offsets."""

from __future__ import annotations

from codegen.ir import Graph
from codegen.plan.lifetimes import Known, Lifetimes, lifetimes, sharing_of
from codegen.plan.offsets import pack
from codegen.plan.order import better_order
from codegen.plan.types import Plan

SEARCH_NODES = 200  # per decision of the branch and bound: milliseconds


def plan(graph: Graph, nodes: int = SEARCH_NODES, known: Known | None = None) -> Plan:
    """Order the operators and lay out every activation, the input and the output included.

    ``nodes`` bounds the search for offsets; the same arguments give the same plan. ``known`` saves
    time with rewrites of one graph: see ``sharing_of``.
    """
    sharing = sharing_of(graph, known)
    lives = lifetimes(graph, range(len(graph.ops)), sharing)
    best = _with_offsets(graph, tuple(range(len(graph.ops))), lives, nodes)
    order = better_order(graph, sharing, max(lives.needs))
    if order is not None:
        other = _with_offsets(graph, order, lifetimes(graph, order, sharing), nodes)
        best = min(best, other, key=lambda made: made.arena_bytes)
    return best


def _with_offsets(graph: Graph, order: tuple[int, ...], lives: Lifetimes, nodes: int) -> Plan:
    packing = pack(lives, nodes)
    offsets: list[int | None] = [None] * len(graph.tensors)
    scratch: list[int | None] = [None] * len(graph.ops)
    for block, offset in zip(lives.blocks, packing.offsets, strict=True):
        for index, place in block.tensors.items():
            offsets[index] = offset + place
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


def peak(graph: Graph, known: Known) -> tuple[int, frozenset[int]]:
    """Bytes that the largest step needs, and what the operators of all such steps make."""
    sharing = sharing_of(graph, known)
    needs = lifetimes(graph, range(len(graph.ops)), sharing).needs
    largest = max(needs)
    steps = zip(graph.ops, needs[1:-1], strict=True)
    return largest, frozenset(op.outputs[0] for op, need in steps if need == largest)
