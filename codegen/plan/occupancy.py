"""Who lies where in the arena while each operator runs: a plan as a picture."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.ir import Graph
from codegen.plan.lifetimes import lifetimes, sharing_of
from codegen.plan.types import Plan


@dataclass(frozen=True)
class Occupied:
    """``size`` bytes from ``offset`` on, in use from step ``first`` to ``last``; step -1 holds the inputs."""

    name: str
    offset: int
    size: int
    first: int
    last: int


def occupancy(graph: Graph, plan: Plan) -> tuple[tuple[str, ...], tuple[Occupied, ...]]:
    """The operators in the order in which they run, and every block of the arena."""
    blocks = []
    for block in lifetimes(graph, plan.order, sharing_of(graph)).blocks:
        if block.scratch_of is None:
            # Of those that are all of it the first that was made; groups have the last one first.
            whole = max(reversed(block.tensors), key=lambda i: graph.tensors[i].size_bytes)
            offset, name = plan.offsets[whole], graph.tensors[whole].name
        else:
            offset, name = plan.scratch[block.scratch_of], "working memory"
        assert offset is not None
        blocks.append(Occupied(name, offset, block.size, block.first, block.last))
    return tuple(graph.ops[number].kind for number in plan.order), tuple(blocks)
