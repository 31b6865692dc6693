"""Operators in chains, row by row, and by channels: the oracle's bytes under any cut, and the best cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from codegen.frontend.read import read
from codegen.ir import Graph, ModelError, Op, read_outside
from codegen.ops import OPERATORS, chain, check, inverted_residual, pooled
from codegen.ops.multiply_adds import multiply_adds
from codegen.passes.prepare import prepare
from codegen.passes.simplify import simplify
from codegen.plan import Plan, arrange, plan, verify
from codegen.plan.chains import places_of
from codegen.plan.fusion import blocks_of, fuse
from tests.support import cores
from tests.support.conformance import Conformance, random_codes, report
from tests.support.extractors import compile_extractors, oracle
from tests.support.models import random_inputs, to_flatbuffer
from tests.support.needs import needs_board_tools
from tools.graphs.builder import Builder
from tools.graphs.networks import SCALE, Network, picks

NETWORKS, WITH_MEAN, INPUTS = 20, 4, 2


def _network(seed: int, blocks: int = 0) -> tuple[Network, int, int]:
    """Convolutions, depthwise ones and inverted residuals on odd sides, kernels up to 7, any padding."""
    rng = np.random.default_rng(seed)
    network = Network(picks(rng), rng, largest=12)
    height, width = (int(n) for n in rng.integers(5, 19, 2))
    x = image = network.b.activation((1, height, width, int(rng.integers(1, 9))), SCALE)
    for _ in range(blocks or int(rng.integers(2, 6))):
        choice = rng.random()
        odd = {"kernel": int(rng.choice([1, 3, 5, 7])), "padding": "SAME"} if choice < 0.5 else {}
        if choice < 0.2:
            x = network.convolution(x, **odd)
        elif choice < 0.35:
            x = network.depthwise(x, **odd)
        elif choice < 0.45:
            wide = network.pointwise(x, network.pick(8, 24))
            x = network.pointwise(network.depthwise(wide, 1, **odd), network.channels())
        elif choice < 0.55:
            same = {"stride": 1, "padding": "SAME"}
            x = network.add(x, network.convolution(x, network.shape(x)[3], kernel=3, **same))
        else:
            x = network.inverted_residual(x)
    return network, image, x


def _chained(seed: int) -> Graph:
    network, image, x = _network(seed)
    return network.b.graph(image, x)


def _averaged(seed: int) -> Graph:
    """With a convolution to many channels, and their means, behind it."""
    network, image, x = _network(seed, 2)
    x = network.pointwise(x, network.pick(5, 300))
    axes = network.b.constant(np.array([1, 2], np.int32))
    means = network.b.activation((1, network.shape(x)[3]), SCALE / 2)
    return network.b.graph(image, network.b.operator("MEAN", (x, axes), means, keep_dims=False))


def _drawn(graph: Graph, rng: np.random.Generator) -> Graph:
    """The graph with some pieces made chains, in which some blocks expand their rows anew."""
    places, ops, start = places_of(graph), list[Op](), 0
    while start < len(graph.ops):
        stop = int(rng.choice([place for place in places if place > start]))
        if graph.ops[-1].kind == "MEAN":
            stop = min(stop, len(graph.ops) - 2) if start < len(graph.ops) - 2 else len(graph.ops)
        part = replace(graph, ops=graph.ops[start:stop])
        if rng.random() < 0.5:
            part = fuse(part, [block for block in blocks_of(part) if rng.random() < 0.7])
        stages = [_narrowed(op, rng) for op in part.ops]
        if all(op.kind == inverted_residual.KIND or chain.can_be_stage(graph, op) for op in stages):
            ops += [chain.chained(stages)] if len(stages) > 1 else graph.ops[start:stop]
        elif len(stages) == 2 and pooled.can_be_pooled(graph, *stages):
            ops.append(pooled.pooled(*stages))
        else:
            ops += graph.ops[start:stop]
        start = stop
    return replace(graph, ops=tuple(ops))


def _narrowed(op: Op, rng: np.random.Generator) -> Op:
    if op.kind != inverted_residual.KIND:
        return op
    return replace(op, options={**op.options, chain.COLUMNS: int(rng.integers(1, 9))})


def _tight(graph: Graph, made: Plan) -> Plan:
    """Of one operator: its output as near below its input as it may be, then the scratch; not aligned."""
    (op,) = graph.ops
    sweep = OPERATORS[op.kind].sweep(graph, op, 0)
    gap = graph.output.size_bytes if sweep is None else sweep.distance_bytes
    scratch = OPERATORS[op.kind].scratch_bytes(graph, op)
    offsets = list(made.offsets)
    offsets[graph.outputs[0]], offsets[graph.inputs[0]] = 0, gap
    end = max(graph.output.size_bytes, gap + graph.input.size_bytes)
    return replace(made, offsets=tuple(offsets), scratch=(end,), arena_bytes=end + scratch)


@pytest.fixture(scope="module")
def cases() -> list[Conformance]:
    """Drawn chains as they are planned, some with the input outside; single ones at the tightest overlap, too."""
    made: list[Conformance] = []
    for seed in range(NETWORKS + WITH_MEAN):
        model = to_flatbuffer(_chained(seed) if seed < NETWORKS else _averaged(seed))
        rng = np.random.default_rng(seed)
        graph = _drawn(simplify(read(model)), rng)
        codes = random_codes(rng, (INPUTS, *graph.input.shape[1:]))
        expected = oracle(model, codes)
        planned = read_outside(graph) if seed % 3 == 0 else graph
        check(planned)
        layout = plan(planned)
        verify(planned, layout)
        made.append(Conformance("chains", seed, planned, codes, expected, layout))
        if len(graph.ops) == 1:
            tight = _tight(graph, plan(graph))
            made.append(Conformance("tight", seed, graph, codes, expected, tight))
    return made


def test_what_is_drawn_is_all_that_there_is(cases: list[Conformance]) -> None:
    ops = [op for case in cases for op in case.graph.ops]
    stages = [stage for op in ops if op.kind == chain.KIND for stage in chain.stages_of(op)]
    assert {stage.kind for stage in stages} == set(chain.MEMBERS)
    assert sum(op.kind == pooled.KIND for op in ops) == WITH_MEAN
    assert sum(case.family == "tight" for case in cases) > 3
    assert sum(len(np.unique(case.expected)) > 4 for case in cases) > len(cases) // 2


@pytest.mark.parametrize("core", ["host", pytest.param("m4", marks=needs_board_tools)])
def test_any_chains_give_the_oracles_bytes(
    core: str, cases: list[Conformance], tmp_path: Path
) -> None:
    where = cores.Host() if core == "host" else cores.CORES[core]
    differences = report(cases, cores.run(cases, where, tmp_path, tmp_path))
    assert not differences, differences


def test_float_chains_give_the_same_as_their_operators(tmp_path: Path) -> None:
    b = Builder(np.random.default_rng(5), "float32")
    options = {"padding": "SAME", "stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1}
    options["fused_activation"] = "RELU6"

    def weights(*shape: int) -> int:
        return b.constant(b.rng.normal(0, 0.3, shape).astype(np.float32))

    image, first, wide, deep, narrow, total, last = (
        b.activation((1, 9, 7, channels)) for channels in (3, 6, 20, 20, 6, 6, 40)
    )
    b.operator("CONV_2D", (image, weights(6, 3, 3, 3)), first, **options)
    b.operator("CONV_2D", (first, weights(20, 1, 1, 6)), wide, **options)
    b.operator(
        "DEPTHWISE_CONV_2D", (wide, weights(1, 5, 3, 20)), deep, depth_multiplier=1, **options
    )
    b.operator("CONV_2D", (deep, weights(6, 1, 1, 20)), narrow, **options)
    b.operator("ADD", (first, narrow), total, fused_activation="NONE")
    b.operator("CONV_2D", (total, weights(40, 1, 1, 6)), last, **options)
    axes = b.constant(np.array([1, 2], np.int32))
    means = b.activation((1, 40))
    graph = b.graph(image, b.operator("MEAN", (last, axes), means, keep_dims=False))
    averaged = pooled.pooled(*graph.ops[-2:])
    rows = chain.chained(graph.ops[:-2])
    fused = chain.chained([_narrowed(op, b.rng) for op in fuse(graph, blocks_of(graph)).ops[:3]])
    variants = [graph, *(replace(graph, ops=(op, averaged)) for op in (rows, fused))]
    assert [len(variant.ops) for variant in variants] == [7, 2, 2]
    extractors = compile_extractors(variants, tmp_path, layouts=[plan(v) for v in variants])
    inputs = random_inputs(graph, 3, np.random.default_rng(4))
    expected = extractors[0](inputs)
    for extract in extractors[1:]:
        np.testing.assert_array_equal(extract(inputs), expected)


def _all_ways(graph: Graph, places: list[int], start: int = 0) -> Iterator[list[Op]]:
    """Every division into chains that compute nothing twice and operators that run as they are."""
    if start == len(places) - 1:
        yield []
        return
    for stop in range(start + 1, len(places)):
        ops = graph.ops[places[start] : places[stop]]
        choices = [list(ops)] if stop == start + 1 else []
        if len(ops) > 1 and all(chain.can_be_stage(graph, op) for op in ops):
            choices.append([chain.chained(ops)])
        for rest in _all_ways(graph, places, stop):
            yield from ([*choice, *rest] for choice in choices)


def test_no_division_into_chains_takes_a_smaller_arena() -> None:
    smaller = 0
    for seed in range(6):
        network, image, x = _network(seed, 3)
        graph = simplify(network.b.graph(image, x))
        rewritten, made = arrange(graph, ram_first=1)
        verify(rewritten, made)
        best = min(
            plan(replace(graph, ops=tuple(ops))).arena_bytes
            for ops in _all_ways(graph, places_of(graph))
        )
        assert made.arena_bytes <= best
        smaller += made.arena_bytes < arrange(graph)[1].arena_bytes
    assert smaller


def test_more_work_buys_a_smaller_arena_and_never_exceeds_its_limit() -> None:
    network, image, _ = _network(1, 1)
    x = network.pointwise(image, 8)
    for stride in (2, 1, 2):
        wide = network.pointwise(x, 48)
        y = network.depthwise(wide, 1, kernel=3, stride=stride, padding="SAME")
        y = network.pointwise(y, 8)
        x = network.add(x, y) if stride == 1 else y
    graph = simplify(read_outside(network.b.graph(image, x)))
    needed = sum(multiply_adds(graph, op) for op in graph.ops)
    arenas = []
    for limit in (1, 1.1, 1.5, 3):
        rewritten, made = arrange(graph, ram_first=limit)
        verify(rewritten, made)
        taken = sum(multiply_adds(rewritten, op) for op in rewritten.ops)
        assert taken - needed == made.extra_multiply_adds <= (limit - 1) * needed
        assert made.optimal
        arenas.append(made.arena_bytes)
    assert all(more <= less for less, more in pairwise(arenas))
    assert arenas[-1] < arenas[0] < arrange(graph)[1].arena_bytes


def test_an_input_outside_whose_bytes_are_renamed_is_refused() -> None:
    b = Builder(np.random.default_rng(0))
    image, flat, output = b.activation((1, 2, 2, 3)), b.activation((1, 12)), b.activation((1, 12))
    shape = b.constant(np.array([1, 12], np.int32))
    b.operator("RESHAPE", (image, shape), flat)
    graph = b.graph(image, b.operator("SOFTMAX", (flat,), output, beta=1.0))
    with pytest.raises(ModelError, match="leave --input-outside out"):
        prepare(read_outside(graph))
