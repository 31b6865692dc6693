"""Where each activation lives in the arena.

Tensors whose bytes may be shared, by an operator that works in place or that only renames them,
form one buffer with one lifetime. Buffers that live at the same time must not overlap; offsets
are found by placing them one after another, in several orders, then by branch and bound while
the arena is larger than the lower bound (the largest sum of buffers that live together).
The problem is dynamic storage allocation, NP-hard in general and easy at this size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codegen.ir import Graph, Op
from codegen.ops import OPERATORS

ALIGNMENT_BYTES = 16
SEARCH_NODES = 500  # of the branch and bound: about a tenth of a second


class PlanError(AssertionError):
    """A plan under which the generated program would compute garbage."""


@dataclass(frozen=True)
class Plan:
    """Byte offsets in the arena per tensor (None for constants and unused tensors).

    ``order`` is the order in which the operators run. No plan with the same sharing can need
    less than ``lower_bound_bytes``.
    """

    offsets: tuple[int | None, ...]
    order: tuple[int, ...]
    arena_bytes: int
    lower_bound_bytes: int


@dataclass
class _Buffer:
    """Bytes shared by ``tensors``, in use from operator ``first`` to operator ``last``."""

    tensors: list[int]
    size: int
    first: int
    last: int

    def meets(self, other: _Buffer) -> bool:
        return self.first <= other.last and other.first <= self.last


def plan(graph: Graph) -> Plan:
    """Lay out every activation, the input and the output included.

    Works on shapes alone: constants need no data.
    """
    buffers = _buffers(graph)
    neighbours = [
        [j for j, other in enumerate(buffers) if i != j and buffer.meets(other)]
        for i, buffer in enumerate(buffers)
    ]
    bound = max(
        (
            sum(b.size for b in buffers if b.first <= step <= b.last)
            for step in range(-1, len(graph.ops) + 1)
        ),
        default=0,
    )
    best = min(
        (_first_fit(buffers, neighbours, order) for order in _orders(buffers)),
        key=lambda offsets: _extent(buffers, offsets),
    )
    if _extent(buffers, best) > bound:
        best = _branch_and_bound(buffers, best, bound)
    offsets: list[int | None] = [None] * len(graph.tensors)
    for buffer, offset in zip(buffers, best, strict=True):
        for index in buffer.tensors:
            offsets[index] = offset
    order = tuple(range(len(graph.ops)))
    return Plan(tuple(offsets), order, _extent(buffers, best), bound)


def verify(graph: Graph, plan: Plan) -> None:
    """Follow the bytes through a run: every operator must find its inputs intact.

    Independent of how the plan was made: it marks each byte of the arena with the value that was
    last written there. An operator that only renames its input's bytes passes the value on.

    Raises:
        PlanError: names the operator and tensor that another tensor overwrote.
    """
    owner = np.full(plan.arena_bytes, -1, np.int32)
    value = {index: index for index in graph.inputs}  # the tensor that first held the bytes

    def span(index: int) -> slice:
        offset, size = plan.offsets[index], graph.tensors[index].size_bytes
        name = graph.tensors[index].name
        if offset is None or offset < 0 or offset + size > plan.arena_bytes:
            raise PlanError(f"tensor {name!r} of {size} bytes at {offset} leaves the arena")
        if offset % ALIGNMENT_BYTES:
            raise PlanError(f"tensor {name!r} at {offset} is not aligned to {ALIGNMENT_BYTES}")
        return slice(offset, offset + size)

    def expect(index: int, reader: str) -> None:
        found = owner[span(index)]
        wrong = found[found != value[index]]
        if wrong.size:
            other = graph.tensors[int(wrong[0])].name if wrong[0] >= 0 else "nothing"
            raise PlanError(
                f"{reader} reads {graph.tensors[index].name!r} after {other!r} overwrote it"
            )

    for index in graph.inputs:
        owner[span(index)] = index
    for number in plan.order:
        op = graph.ops[number]
        label = f"operator {number} ({op.kind})"
        sources = [i for i in op.inputs if i >= 0 and not graph.tensors[i].constant]
        for index in sources:
            expect(index, label)
        for index in op.outputs:
            target = span(index)
            if OPERATORS[op.kind].aliases():
                value[index] = value[sources[0]]
                expect(index, label)
                continue
            for source in sources:
                overlap = (owner[target] == value[source]).any()
                if overlap and not _may_share(graph, op, source, index, plan):
                    raise PlanError(
                        f"{label} writes {graph.tensors[index].name!r} over its own input"
                    )
            value[index] = index
            owner[target] = index
    for index in graph.outputs:
        expect(index, "the caller")


def _may_share(graph: Graph, op: Op, source: int, output: int, plan: Plan) -> bool:
    same_place = plan.offsets[source] == plan.offsets[output]
    same_size = graph.tensors[source].size_bytes == graph.tensors[output].size_bytes
    in_place = OPERATORS[op.kind].in_place(graph, op)
    positions = [p for p, i in enumerate(op.inputs) if i == source]
    return same_place and same_size and all(p in in_place for p in positions)


def _buffers(graph: Graph) -> list[_Buffer]:
    last_use = dict.fromkeys(graph.inputs, -1)
    for number, op in enumerate(graph.ops):
        last_use |= {i: number for i in (*op.outputs, *op.inputs) if i >= 0}
    last_use |= {i: len(graph.ops) for i in graph.outputs}
    buffer_of: dict[int, _Buffer] = {}
    buffers: list[_Buffer] = []

    def create(index: int, step: int) -> None:
        size = -(-graph.tensors[index].size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        buffer_of[index] = _Buffer([index], size, step, last_use[index])
        buffers.append(buffer_of[index])

    for index in graph.inputs:
        create(index, -1)
    for number, op in enumerate(graph.ops):
        for index in op.outputs:
            host = _host(graph, number, buffer_of)
            if host is None:
                create(index, number)
            else:
                host.tensors.append(index)
                host.last = max(host.last, last_use[index])
                buffer_of[index] = host
    return buffers


def _host(graph: Graph, number: int, buffer_of: dict[int, _Buffer]) -> _Buffer | None:
    """The buffer of an input that the operator may write its output into."""
    op = graph.ops[number]
    operator = OPERATORS[op.kind]
    if operator.aliases():
        return buffer_of[op.inputs[0]]
    output = graph.tensors[op.outputs[0]]
    for position in operator.in_place(graph, op):
        source = op.inputs[position]
        host = buffer_of.get(source)
        if (
            host is not None
            and host.last == number
            and graph.tensors[source].size_bytes == output.size_bytes
        ):
            return host
    return None


def _orders(buffers: Sequence[_Buffer]) -> list[list[int]]:
    """Orders in which greedy placement tends to do well."""
    indices = range(len(buffers))
    return [
        sorted(indices, key=lambda i: (-buffers[i].size, buffers[i].first)),
        sorted(indices, key=lambda i: (-buffers[i].size, -buffers[i].last)),
        sorted(
            indices,
            key=lambda i: -buffers[i].size * (buffers[i].last - buffers[i].first + 1),
        ),
        sorted(indices, key=lambda i: (buffers[i].first, -buffers[i].size)),
        sorted(indices, key=lambda i: (-buffers[i].last, -buffers[i].size)),
    ]


def _first_fit(
    buffers: Sequence[_Buffer], neighbours: Sequence[Sequence[int]], order: Sequence[int]
) -> list[int]:
    """Each buffer at the lowest offset that is free during its life."""
    offsets = [-1] * len(buffers)
    for index in order:
        taken = sorted((offsets[j], buffers[j].size) for j in neighbours[index] if offsets[j] >= 0)
        bottom = 0
        for offset, size in taken:
            if offset - bottom >= buffers[index].size:
                break
            bottom = max(bottom, offset + size)
        offsets[index] = bottom
    return offsets


def _extent(buffers: Sequence[_Buffer], offsets: Sequence[int]) -> int:
    return max((o + b.size for o, b in zip(offsets, buffers, strict=True)), default=0)


def _branch_and_bound(buffers: Sequence[_Buffer], best: list[int], bound: int) -> list[int]:
    """Stack buffers from the bottom up, depth first, until ``bound`` or the budget is reached.

    Some best packing has every buffer at the bottom or on top of a neighbour, so it is found by
    placing buffers in order of offset, each on the skyline: the highest top, at every step of the
    run, of what is placed. A branch ends when, at some step, skyline and buffers yet to come
    together exceed the best packing so far.
    """
    steps = [slice(b.first + 1, b.last + 2) for b in buffers]  # the input is there before step 0
    sizes = np.array([b.size for b in buffers])
    skyline = np.zeros(max(b.last for b in buffers) + 2, np.int64)
    waiting = skyline.copy()  # bytes yet to be placed, per step
    for buffer, live in zip(buffers, steps, strict=True):
        waiting[live] += buffer.size
    offsets = [-1] * len(buffers)
    extent, nodes = _extent(buffers, best), SEARCH_NODES

    def place(unplaced: list[int], floor: int) -> None:
        nonlocal best, extent, nodes
        if not unplaced:
            best, extent = offsets.copy(), _extent(buffers, offsets)
            return
        bottoms = {i: int(skyline[steps[i]].max()) for i in unplaced}
        for index in sorted(unplaced, key=lambda i: (bottoms[i], -sizes[i], i)):
            if bottoms[index] < floor:
                continue
            nodes -= 1
            if nodes < 0 or extent == bound:
                return
            live = steps[index]
            before = skyline[live].copy()
            skyline[live] = bottoms[index] + sizes[index]
            waiting[live] -= sizes[index]
            if (skyline + waiting).max() < extent:
                offsets[index] = bottoms[index]
                place([i for i in unplaced if i != index], bottoms[index])
            skyline[live] = before
            waiting[live] += sizes[index]

    place(list(range(len(buffers))), 0)
    return best
