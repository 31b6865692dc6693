"""Which inverted residuals run by rows: those without which the arena would be larger."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from codegen.ir import Graph, Op
from codegen.ops import conv_2d, depthwise_conv_2d, inverted_residual
from codegen.ops.dilated import is_dilated
from codegen.plan.layout import peak, plan
from codegen.plan.lifetimes import Known
from codegen.plan.types import Plan

LEAST_GAIN = 1 / 50  # of the arena; fusing costs flash, and a few instructions per row


class Block(NamedTuple):
    """Operators (numbers) that follow each other and can be made one."""

    expand: int
    depthwise: int
    project: int


def by_rows(graph: Graph, nodes: int, known: Known) -> tuple[Graph, Plan]:
    """The graph with inverted residuals fused where that lowers the arena, and its plan.

    While the step that needs most belongs to a block that can be fused, the block is; of the
    graphs on that way the best is taken, and every block on which it does not depend runs as three
    operators again.
    """
    plain = plan(graph, nodes, known)
    best = _choose(graph, plain.arena_bytes, known)
    if not best:
        return graph, plain
    rewritten = fuse(graph, best)
    planned = plan(rewritten, nodes, known)
    if planned.arena_bytes > plain.arena_bytes * (1 - LEAST_GAIN):
        return graph, plain
    numbers = tuple(
        number for number, op in enumerate(rewritten.ops) if op.kind == inverted_residual.KIND
    )
    return rewritten, replace(
        planned, live_bytes=plain.live_bytes, unfused_bytes=plain.arena_bytes, fused=numbers
    )


def blocks_of(graph: Graph) -> list[Block]:
    """Every expansion, depthwise convolution and projection of which nothing else reads a part."""
    readers: dict[int, list[int]] = {}
    for number, op in enumerate(graph.ops):
        for index in op.inputs:
            readers.setdefault(index, []).append(number)

    def only_reader(number: int) -> int | None:
        index = graph.ops[number].outputs[0]
        found = readers.get(index, [])
        return found[0] if len(found) == 1 and index not in graph.outputs else None

    blocks = []
    for number in range(len(graph.ops)):
        depthwise = only_reader(number)
        project = None if depthwise is None else only_reader(depthwise)
        if depthwise is None or project is None:
            continue
        if _fusable([graph.ops[i] for i in (number, depthwise, project)], graph):
            blocks.append(Block(number, depthwise, project))
    return blocks


def fuse(graph: Graph, blocks: Collection[Block]) -> Graph:
    """The graph with ``blocks``, which share no operator, made one operator each."""
    made = {
        block.project: inverted_residual.fused([graph.ops[i] for i in block]) for block in blocks
    }
    gone = {i for block in blocks for i in (block.expand, block.depthwise)}
    ops = [made.get(i, op) for i, op in enumerate(graph.ops) if i not in gone]
    return replace(graph, ops=tuple(ops))


def _fusable(ops: Sequence[Op], graph: Graph) -> bool:
    expand, depthwise, project = ops
    return (
        tuple(op.kind for op in ops) == inverted_residual.KINDS
        and depthwise.inputs[0] == expand.outputs[0]
        and project.inputs[0] == depthwise.outputs[0]
        and not any(is_dilated(op) for op in ops)
        and inverted_residual.is_pointwise(conv_2d.sliding_window(graph, expand))
        and inverted_residual.is_pointwise(conv_2d.sliding_window(graph, project))
        and inverted_residual.has_rows(depthwise_conv_2d.sliding_window(graph, depthwise))
    )


def _choose(graph: Graph, arena_bytes: int, known: Known) -> frozenset[Block]:
    """Blocks to fuse, by what the largest step needs."""
    candidates = blocks_of(graph)
    chosen: frozenset[Block] = frozenset()
    best, least = chosen, arena_bytes
    while True:
        need, outputs = peak(fuse(graph, chosen), known)
        if need < least:
            best, least = chosen, need
        taken = {number for block in chosen for number in block}
        at_peak = (
            block
            for block in candidates
            if taken.isdisjoint(block) and any(graph.ops[i].outputs[0] in outputs for i in block)
        )
        block = next(at_peak, None)
        if block is None:
            break
        chosen |= {block}
    for block in sorted(best):
        if peak(fuse(graph, best - {block}), known)[0] <= least:
            best -= {block}
    return best
