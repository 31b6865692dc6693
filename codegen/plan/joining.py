"""Which concatenations copy nothing, as their inputs are made where they lie in the output.

That takes the output's bytes from the first input on, so the arena may grow by it: then it is not done.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from codegen.ir import Graph, Op
from codegen.ops import OPERATORS
from codegen.ops.concatenation import is_outermost
from codegen.plan.chains import in_chains
from codegen.plan.early import early
from codegen.plan.fusion import by_rows
from codegen.plan.groups import groups_of
from codegen.plan.layout import SEARCH_NODES
from codegen.plan.lifetimes import Known
from codegen.plan.types import ALIGNMENT_BYTES, Plan

MOST_TRIED = 8  # one by one, where all of them together take more


def arrange(graph: Graph, nodes: int = SEARCH_NODES, ram_first: float = 0.0) -> tuple[Graph, Plan]:
    """The graph as it runs, and its plan: means early, blocks fused, and concatenations joined, as the arena is smaller.

    Where joining does not change it, that is done too, as it saves the copy. With ``ram_first`` from 1
    on operators run in chains, where that makes the arena smaller still, and take at most so many times their
    multiply-adds.
    """
    graph = early(graph)
    usual = _one_by_one(graph, nodes)
    if not ram_first:
        return usual
    made, planned = in_chains(graph, nodes, ram_first)
    if planned.arena_bytes >= usual[1].arena_bytes:
        return usual
    unfused = usual[1].unfused_bytes
    return made, replace(planned, live_bytes=usual[1].live_bytes, unfused_bytes=unfused)


def _one_by_one(graph: Graph, nodes: int) -> tuple[Graph, Plan]:
    known: Known = {}
    best = by_rows(graph, nodes, known)
    copying = [number for number, op in enumerate(graph.ops) if op.kind == "CONCATENATION"]
    together = join(graph, copying)
    if together is graph:
        return best
    made = by_rows(together, nodes, known)
    if made[1].arena_bytes <= best[1].arena_bytes:
        return _told(made, best)
    plain, chosen = best, set[int]()
    for number in copying[:MOST_TRIED]:
        one_more = join(graph, chosen | {number})
        if one_more is not graph:
            made = by_rows(one_more, nodes, known)
            if made[1].arena_bytes <= best[1].arena_bytes:
                best, chosen = made, chosen | {number}
    return _told(best, plain)


def join(graph: Graph, numbers: Collection[int]) -> Graph:
    """The graph with these CONCATENATIONs made JOINs, in order, as far as each can be."""
    for number in sorted(numbers):
        op = graph.ops[number]
        if is_joinable(graph, op):
            joined = replace(op, kind="JOIN")
            graph = replace(graph, ops=(*graph.ops[:number], joined, *graph.ops[number + 1 :]))
    return graph


def is_joinable(graph: Graph, op: Op) -> bool:
    """Whether every input can be made in its place.

    Each has bytes of its own, which are no part of anything else, and begins where kernels expect an
    activation to.
    """
    if not is_outermost(graph, op) or any(not graph.tensors[i].in_arena for i in op.inputs):
        return False
    groups = groups_of(graph)
    homes = [groups[i] for i in op.inputs]
    places = OPERATORS["JOIN"].places(graph, op)
    return (
        len({id(home) for home in homes}) == len(homes)
        and all(home.is_whole(graph, i) for home, i in zip(homes, op.inputs, strict=True))
        and not any(place % ALIGNMENT_BYTES for place in places)
    )


def _told(made: tuple[Graph, Plan], plain: tuple[Graph, Plan]) -> tuple[Graph, Plan]:
    """``live_bytes`` is what a planner needs that copies."""
    return made[0], replace(made[1], live_bytes=plain[1].live_bytes)
