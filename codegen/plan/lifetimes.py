"""From a graph and an order to blocks of memory with lifetimes, and what they may share.

Tensors that are the same bytes under several shapes, or parts of another, form one block
(``codegen.plan.groups``); an operator's scratch is a block that lives while the operator runs. Blocks that live at the same time must not overlap, with
one exception: the output of an operator may start ``gap`` bytes or more before an input that dies
there, because the kernel has read the input's rows by the time it writes over them. A part of a block that several
operators fill neither lies over an input nor under an output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from codegen.ir import Graph, Op
from codegen.ops import OPERATORS
from codegen.plan.groups import groups_of
from codegen.plan.types import ALIGNMENT_BYTES

Gaps = Mapping[int, int]  # of an operator: input tensor -> bytes
Sharing = Sequence[Gaps]
Known = dict[tuple[str, int], Gaps]  # by kind and output


@dataclass
class Block:
    """``size`` bytes in use from step ``first`` to step ``last``; step -1 holds the inputs.

    ``tensors`` lie in it at these offsets.
    """

    size: int
    first: int
    last: int
    tensors: Mapping[int, int] = field(default_factory=dict)
    scratch_of: int | None = None

    def meets(self, other: Block) -> bool:
        """Whether both live at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Lifetimes:
    """Blocks, ``gaps[output, input]`` where they may overlap, and bytes needed at each step.

    ``needs`` starts at step -1. It is what the blocks of a step take when they are packed as
    tightly as their gaps allow, ``live`` when only operators that work in place share bytes.
    """

    blocks: Sequence[Block]
    gaps: Mapping[tuple[int, int], int]
    needs: Sequence[int]
    live: Sequence[int]


def lifetimes(graph: Graph, order: Sequence[int], sharing: Sharing) -> Lifetimes:
    """Blocks and gaps for operators that run in ``order``."""
    blocks, block_of = _blocks(graph, order)
    gaps = {
        (block_of[graph.ops[number].outputs[0]], block_of[source]): gap
        for step, number in enumerate(order)
        for source, gap in sharing[number].items()
        if blocks[block_of[source]].last == step
    }
    steps = range(-1, len(order) + 1)
    alive: list[list[int]] = [[] for _ in steps]
    for index, block in enumerate(blocks):
        for step in range(block.first, block.last + 1):
            alive[step + 1].append(index)
    in_place = {pair: gap for pair, gap in gaps.items() if gap == 0}
    return Lifetimes(
        blocks,
        gaps,
        [_need(blocks, gaps, step, alive[step + 1]) for step in steps],
        [_need(blocks, in_place, step, alive[step + 1]) for step in steps],
    )


def aligned(size: int) -> int:
    """``size`` rounded up to whole alignments."""
    return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def sharing_of(graph: Graph, known: Known | None = None) -> Sharing:
    """For each operator the inputs that its output may lie over if they die, and the gaps.

    ``known`` remembers operators from one rewrite of a graph to the next.
    """
    known = {} if known is None else known
    for op in graph.ops:
        if _key(op) not in known:
            known[_key(op)] = _gaps(graph, op)
    groups = groups_of(graph)

    return [
        {}
        if groups[op.outputs[0]].joined
        else {
            source: gap
            for source, gap in known[_key(op)].items()
            if not groups[source].joined or groups[source].is_whole(graph, source)
        }
        for op in graph.ops
    ]


def _key(op: Op) -> tuple[str, int]:
    return op.kind, op.outputs[0]


def _gaps(graph: Graph, op: Op) -> dict[int, int]:
    operator = OPERATORS[op.kind]
    if operator.places(graph, op):
        return {}
    in_place = operator.in_place(graph, op)
    output_bytes = graph.tensors[op.outputs[0]].size_bytes
    gaps: dict[int, int | None] = {}
    for position, source in enumerate(op.inputs):
        if source < 0 or not graph.tensors[source].in_arena:
            continue
        gap: int | None = None
        if position in in_place and graph.tensors[source].size_bytes == output_bytes:
            gap = 0
        elif (sweep := operator.sweep(graph, op, position)) is not None:
            gap = aligned(sweep.distance_bytes)
        before = gaps.get(source, 0)
        gaps[source] = None if gap is None or before is None else max(gap, before)
    return {source: gap for source, gap in gaps.items() if gap is not None}


def packed(output: int, dying: Sequence[tuple[int, int]]) -> int:
    """Bytes of an output and of the (gap, size) of inputs that it may overlap, packed tightly.

    The output lies at the bottom and each input as low above it as gap and inputs below allow:
    by rising gaps, as jobs are scheduled by their release dates.
    """
    top = 0
    for gap, size in sorted(dying):
        top = max(top, gap) + size
    return max(output, top)


def _need(
    blocks: Sequence[Block], gaps: Mapping[tuple[int, int], int], step: int, alive: Sequence[int]
) -> int:
    output = next(
        (i for i in alive if blocks[i].first == step and blocks[i].scratch_of is None), None
    )
    if output is None:
        return sum(blocks[i].size for i in alive)
    dying = {i: gaps[output, i] for i in alive if (output, i) in gaps}
    others = sum(blocks[i].size for i in alive if i != output and i not in dying)
    return others + packed(blocks[output].size, [(gap, blocks[i].size) for i, gap in dying.items()])


def _blocks(graph: Graph, order: Sequence[int]) -> tuple[list[Block], dict[int, int]]:
    groups = groups_of(graph)
    last_use = {id(groups[i]): -1 for i in graph.given}
    for step, number in enumerate(order):
        op = graph.ops[number]
        last_use |= {id(groups[i]): step for i in (*op.outputs, *op.inputs) if i in groups}
    last_use |= {id(groups[i]): len(order) for i in graph.outputs}
    blocks: list[Block] = []
    block_of: dict[int, int] = {}

    def create(index: int, step: int) -> None:
        group = groups[index]
        block_of.update(dict.fromkeys(group.offsets, len(blocks)))
        blocks.append(Block(aligned(group.size_bytes), step, last_use[id(group)], group.offsets))

    for index in graph.given:
        create(index, -1)
    for step, number in enumerate(order):
        op = graph.ops[number]
        for index in op.outputs:
            if index not in block_of:
                create(index, step)
        scratch = OPERATORS[op.kind].scratch_bytes(graph, op)
        if scratch:
            blocks.append(Block(aligned(scratch), step, step, scratch_of=number))
    return blocks, block_of
