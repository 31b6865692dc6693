"""Chains of operators that run row by row: the oracle's bytes under any cut, and what the planner says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codegen.frontend.read import read
from codegen.ir import Graph, Op
from codegen.ops import chain, check, inverted_residual
from codegen.passes.simplify import simplify
from codegen.plan import plan, verify
from codegen.plan.chains import places_of
from codegen.plan.fusion import blocks_of, fuse
from tests.support.conformance import random_codes
from tests.support.extractors import compile_extractors, oracle
from tests.support.models import to_flatbuffer
from tools.graphs.networks import SCALE, Network, picks

NETWORKS, INPUTS = 24, 3
PATHS = {"plain": (), "dsp": ("-DTINYML_ISA_DSP=1",)}


def _network(seed: int) -> Graph:
    """Convolutions, depthwise ones and inverted residuals on odd sides, kernels up to 7, any padding."""
    rng = np.random.default_rng(seed)
    network = Network(picks(rng), rng, largest=12)
    height, width = (int(n) for n in rng.integers(5, 19, 2))
    x = image = network.b.activation((1, height, width, int(rng.integers(1, 9))), SCALE)
    for _ in range(int(rng.integers(2, 6))):
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
            x = network.add(x, network.convolution(x, network.shape(x)[3], stride=1, **odd))
        else:
            x = network.inverted_residual(x)
    return network.b.graph(image, x)


def _drawn(graph: Graph, rng: np.random.Generator) -> Graph:
    """The graph with some pieces made chains, in which some blocks expand their rows anew."""
    places, ops, start = places_of(graph), list[Op](), 0
    while start < len(graph.ops):
        stop = int(rng.choice([place for place in places if place > start]))
        part = replace(graph, ops=graph.ops[start:stop])
        if rng.random() < 0.5:
            blocks = [block for block in blocks_of(part) if rng.random() < 0.7]
            part = fuse(part, blocks)
        stages = [
            replace(op, options={**op.options, chain.COLUMNS: int(rng.integers(1, 9))})
            if op.kind == inverted_residual.KIND
            else op
            for op in part.ops
        ]
        fits = len(stages) > 1 and all(
            op.kind == inverted_residual.KIND or chain.can_be_stage(graph, op) for op in stages
        )
        ops += [chain.chained(stages)] if fits else graph.ops[start:stop]
        start = stop
    return replace(graph, ops=tuple(ops))


@pytest.mark.parametrize("path", PATHS)
def test_any_chains_give_the_oracles_bytes(path: str, tmp_path: Path) -> None:
    models = [to_flatbuffer(_network(seed)) for seed in range(NETWORKS)]
    graphs = [
        _drawn(simplify(read(model)), np.random.default_rng(seed))
        for seed, model in enumerate(models)
    ]
    plans = []
    for graph in graphs:
        check(graph)
        plans.append(plan(graph))
        verify(graph, plans[-1])
    extractors = compile_extractors(graphs, tmp_path, ("-O1", *PATHS[path]), plans)
    varied = 0
    for model, graph, extract in zip(models, graphs, extractors, strict=True):
        codes = random_codes(np.random.default_rng(1), (INPUTS, *graph.input.shape[1:]))
        expected = oracle(model, codes)
        np.testing.assert_array_equal(extract(codes), expected)
        varied += len(np.unique(expected)) > 4
    stages = [
        stage
        for g in graphs
        for op in g.ops
        if op.kind == chain.KIND
        for stage in chain.stages_of(op)
    ]
    assert varied > NETWORKS // 2
    assert {stage.kind for stage in stages} == set(chain.MEMBERS)
