"""Which operators run as chains, row by row: a shortest path over the places at which one tensor alone lives.

Between two such places the operators run as they are, or as one chain, of which each inverted residual
may expand its rows anew (``codegen.ops.chain``). Nothing else lives meanwhile, so what a piece needs
does not depend on the others: of all ways through the network those are kept whose largest piece is
smallest, and of these the one that takes the fewest multiply-adds more. (msf-CNN, Huang et al. 2025,
chooses its fused blocks so; here rows are buffered, and most chains compute nothing twice.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from codegen.ir import Graph, Op
from codegen.ops import chain, inverted_residual, pooled
from codegen.ops.multiply_adds import multiply_adds
from codegen.plan.fusion import Block, blocks_of, by_rows, fuse
from codegen.plan.layout import plan
from codegen.plan.lifetimes import aligned, packed
from codegen.plan.types import Plan

SHARES = (1, 2, 4, 8, 16)
"""Into how many parts the rows of a block that expands them anew are cut."""
MANY_PLACES = 24
"""From more on not all pairs are tried: an expansion is no end then."""
OVERHEAD = 1e-6
"""Of an operator that runs in parts, in shares of what may be added: what gains nothing does not."""

MADE_OF: Mapping[str, Callable[[Op], tuple[Op, ...]]] = MappingProxyType(
    {
        chain.KIND: chain.stages_of,
        inverted_residual.KIND: inverted_residual.stages_of,
        pooled.KIND: pooled.stages_of,
    }
)
"""What operators that run in parts are made of."""


@dataclass(frozen=True)
class Piece:
    """Operators from one place to another as they run, and the bytes that they need.

    A chain takes ``extra`` multiply-adds more than its operators, and ``scratch`` of the bytes.
    """

    start: int
    stop: int
    ops: tuple[Op, ...]
    need: int
    extra: int = 0
    scratch: int = 0

    @property
    def in_parts(self) -> int:
        """How many of the network's operators run row by row, or by channels."""
        return sum(len(MADE_OF[op.kind](op)) for op in self.ops if op.kind in MADE_OF)


def in_chains(graph: Graph, nodes: int, limit: float) -> tuple[Graph, Plan]:
    """The graph as it needs the smallest arena with at most ``limit`` times its multiply-adds, and its plan."""
    most_extra = math.floor((limit - 1) * sum(multiply_adds(graph, op) for op in graph.ops))
    search = _Search(graph, most_extra)
    pieces = [p for ends in pairwise(search.places) for p in _as_they_are(graph, ends, nodes)]
    pieces += _by_channels(graph, search.places, nodes)
    while True:
        way = _best(graph, pieces, most_extra)
        need = max(piece.need for piece in way)
        found = [
            more for piece in way if piece.need == need for more in search.chains_over(piece, need)
        ]
        if not found:
            break
        pieces += found
    rewritten = replace(graph, ops=tuple(op for piece in way for op in piece.ops))
    planned = plan(rewritten, nodes)
    numbers = tuple(number for number, op in enumerate(rewritten.ops) if op.kind in MADE_OF)
    extra = sum(piece.extra for piece in way)
    return rewritten, replace(planned, fused=numbers, extra_multiply_adds=extra)


def places_of(graph: Graph) -> list[int]:
    """Positions before operators, the first and the end among them, at which one tensor alone is needed later."""
    last_reader = {i: number for number, op in enumerate(graph.ops) for i in op.inputs}
    last_reader |= dict.fromkeys(graph.outputs, len(graph.ops))
    alive, found = set(graph.inputs), [0]
    for number, op in enumerate(graph.ops):
        alive = {i for i in (*alive, *op.outputs) if last_reader.get(i, -1) > number}
        if alive == set(op.outputs) and number + 1 < len(graph.ops):
            found.append(number + 1)
    return [*found, len(graph.ops)]


def _narrow(graph: Graph, places: list[int]) -> list[int]:
    """Where there are many, without those at which the tensor is larger than at a neighbour."""
    if len(places) <= MANY_PLACES:
        return places
    sizes = [graph.input.size_bytes]
    sizes += [graph.tensors[graph.ops[place - 1].outputs[0]].size_bytes for place in places[1:]]
    inner = range(1, len(places) - 1)
    kept = [i for i in inner if sizes[i] <= min(sizes[i - 1], sizes[i + 1])]
    return [places[0], *(places[i] for i in kept), places[-1]]


def _as_they_are(graph: Graph, ends: tuple[int, int], nodes: int) -> Iterator[Piece]:
    """Operators one after the other, and with blocks fused."""
    part = _part(graph, *ends)
    ready, planned = by_rows(part, nodes, {})
    yield Piece(*ends, part.ops, planned.unfused_bytes)
    if planned.fused:
        yield Piece(*ends, ready.ops, planned.arena_bytes)


def _by_channels(graph: Graph, places: Sequence[int], nodes: int) -> Iterator[Piece]:
    """Convolutions with the means that follow them."""
    for start in places:
        stop = start + len(pooled.KINDS)
        if stop in places:
            part = _part(graph, start, stop)
            if pooled.can_be_pooled(part, *part.ops):
                one = replace(part, ops=(pooled.pooled(*part.ops),))
                yield Piece(start, stop, one.ops, plan(one, nodes).arena_bytes)


class _Search:
    """Chains of a graph, each tried once."""

    def __init__(self, graph: Graph, most_extra: int) -> None:
        self.graph, self.most_extra = graph, most_extra
        self.places = _narrow(graph, places_of(graph))
        self.runs = [chain.can_be_stage(graph, op) for op in graph.ops]
        self.tried = set[tuple[int, int]]()
        self.ended: dict[int, int] = {}  # by a chain's start: from which stop on none is tried

    def chains_over(self, piece: Piece, need: int) -> Iterator[Piece]:
        """Those that share operators with ``piece`` and may need less than ``need``.

        Rows that a chain keeps, a longer one keeps too: where they alone take so much, there is none.
        """
        for first, start in enumerate(self.places[:-1]):
            for stop in self.places[first + 1 :]:
                too_long = stop - start > chain.MOST_STAGES or stop >= self.ended.get(
                    start, stop + 1
                )
                if too_long or not all(self.runs[start:stop]) or start >= piece.stop:
                    break
                if stop <= piece.start or stop - start == 1 or (start, stop) in self.tried:
                    continue
                self.tried.add((start, stop))
                found = list(_chains(self.graph, start, stop, self.most_extra))
                yield from found
                if min((chained.scratch for chained in found), default=need) >= need:
                    self.ended[start] = stop


def _part(graph: Graph, start: int, stop: int) -> Graph:
    source = graph.ops[start - 1].outputs if start else graph.inputs
    ops = graph.ops[start:stop]
    return replace(graph, ops=ops, inputs=source, outputs=ops[-1].outputs)


def _chains(graph: Graph, start: int, stop: int, most_extra: int) -> Iterator[Piece]:
    """The chain that computes nothing twice, and those that expand rows anew in ever smaller parts."""
    part = _part(graph, start, stop)
    blocks = blocks_of(part)
    best: int | None = None
    for share in (0, *SHARES) if blocks and most_extra else (0,):
        op = chain.chained(_expanding(part, blocks, share) if share else part.ops)
        extra = chain.extra_multiply_adds(part, op) if share else 0
        if extra > most_extra:
            continue
        scratch = aligned(chain.OPERATOR.scratch_bytes(part, op))
        need = _ends_bytes(part, op) + scratch
        if best is None or need < best:
            best = need
            yield Piece(start, stop, (op,), need, extra, scratch)


def _expanding(part: Graph, blocks: Sequence[Block], share: int) -> tuple[Op, ...]:
    """The operators with blocks made one each, which expand their rows anew in ``share`` parts."""
    ops = []
    for op in fuse(part, blocks).ops:
        if op.kind == inverted_residual.KIND:
            width = part.tensors[op.outputs[0]].shape[2]
            ops.append(replace(op, options={**op.options, chain.COLUMNS: -(-width // share)}))
        else:
            ops.append(op)
    return tuple(ops)


def _ends_bytes(part: Graph, op: Op) -> int:
    """What the planner finds that a chain's input and output take together."""
    sweep = chain.OPERATOR.sweep(part, op, 0)
    assert sweep is not None
    source, output = (aligned(tensor.size_bytes) for tensor in (part.input, part.output))
    if not part.input.in_arena:
        return output
    return packed(output, [(aligned(sweep.distance_bytes), source)])


def _best(graph: Graph, pieces: Sequence[Piece], most_extra: int) -> list[Piece]:
    """Of all ways that take at most ``most_extra`` that with the smallest largest need."""
    needs = sorted({piece.need for piece in pieces})
    low, high = 0, len(needs) - 1
    while low < high:
        middle = (low + high) // 2
        fitting = [piece for piece in pieces if piece.need <= needs[middle]]
        if _way(graph, fitting, most_extra) is None:
            low = middle + 1
        else:
            high = middle
    way = _way(graph, [piece for piece in pieces if piece.need <= needs[low]], most_extra)
    assert way is not None
    return way


def _way(graph: Graph, pieces: Sequence[Piece], most_extra: int) -> list[Piece] | None:
    """From the first operator to the last by the fewest multiply-adds more; None if they are too many."""
    total = max(1, most_extra)
    reached: dict[int, tuple[float, list[Piece]]] = {0: (0.0, [])}
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if piece.start not in reached:
            continue
        before, way = reached[piece.start]
        cost = before + piece.extra + OVERHEAD * total * piece.in_parts
        if piece.stop not in reached or cost < reached[piece.stop][0]:
            reached[piece.stop] = cost, [*way, piece]
    end = reached.get(len(graph.ops))
    if end is None or sum(piece.extra for piece in end[1]) > most_extra:
        return None
    return end[1]
