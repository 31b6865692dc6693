"""Real kernels under plans that overlap: the order in which they read and write is a promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import compress
from pathlib import Path

import numpy as np
import pytest

from codegen.frontend.read import read
from codegen.ir import DTYPE_BYTES, Graph
from codegen.ops import OPERATORS
from codegen.passes.legalize import legalize
from codegen.passes.simplify import simplify
from codegen.plan import Plan, arrange, plan, verify
from codegen.plan.fusion import blocks_of, fuse
from tests.support import cores
from tests.support.conformance import Conformance, models, report
from tests.support.extractors import compile_extractors, oracle
from tests.support.families import ROWS
from tests.support.models import random_inputs, to_flatbuffer
from tests.support.needs import needs_board_tools
from tools.graphs.builder import Builder
from tools.graphs.cases import CASES
from tools.graphs.networks import Network, picks, random_network

ORDERED = (
    *("convolution", "depthwise_convolution", "zero_padded_kernel", "dilated"),
    *("pool", "padding", "unary"),
)
# A kernel may go along a line in smaller runs than it promises: going too far need not show.
LINES = "depthwise_line"
INT8_MODELS, FLOAT_MODELS, BLOCKS, NETWORKS = 12, 3, 16, 30
MODELS_ON_A_CORE = 8
INPUTS = 3
# The computer's own kernels, and those of Cortex-M4 on emulated instructions.
PATHS = {"plain": (), "dsp": ("-DTINYML_ISA_DSP=1",)}


def _single_operators() -> list[Graph]:
    """Models of one operator that promises an order."""
    graphs = []
    for dtype, count in (("int8", INT8_MODELS), ("float32", FLOAT_MODELS)):
        for name in ORDERED:
            rng = np.random.default_rng(len(graphs))
            graphs += [simplify(legalize(CASES[name](rng, dtype))) for _ in range(count)]
    single = [graph for graph in graphs if len(graph.ops) == 1]
    return [*single, *_inverted_residuals(), *_concatenations()]


def _lines() -> list[Graph]:
    """Depthwise convolutions along a line, run by run."""
    rng = np.random.default_rng(0)
    return [simplify(legalize(CASES[LINES](rng, "int8"))) for _ in range(INT8_MODELS)]


def _inverted_residuals() -> list[Graph]:
    """Blocks of any window, fused."""
    graphs = []
    for seed in range(BLOCKS):
        rng = np.random.default_rng(seed)
        network = Network(picks(rng), rng)
        image = network.b.activation((1, *(int(n) for n in rng.integers(1, 14, 3))), 0.05)
        y = network.pointwise(image, network.pick(1, 24))
        y = network.depthwise(y, multiplier=network.pick(1, 4) // 4 + 1)
        graph = network.b.graph(image, network.pointwise(y, network.pick(1, 16)))
        graphs.append(fuse(graph, set(blocks_of(graph))))
    assert all(len(graph.ops) == 1 for graph in graphs)
    return graphs


def _concatenations() -> list[Graph]:
    """Rows of an image and of a constant, along any axis."""
    graphs = []
    for seed in range(INT8_MODELS):
        b = Builder(np.random.default_rng(seed))
        shape = (1, *(int(n) for n in b.rng.integers(1, 9, 3)))
        axis = seed % 3 + 1
        image = b.activation(shape, 0.05, 3)
        sides = tuple(int(b.rng.integers(1, 5)) if i == axis else n for i, n in enumerate(shape))
        fixed = b.constant(b.rng.integers(-128, 128, sides).astype(np.int8), (0.05,), zero=3)
        grown = tuple(n + sides[i] if i == axis else n for i, n in enumerate(shape))
        output = b.activation(grown, 0.05, 3)
        b.operator("CONCATENATION", (image, fixed), output, axis=axis, fused_activation="NONE")
        graphs.append(b.graph(image, output))
    return graphs


def _distance(graph: Graph) -> int:
    """How far the output must start before the input, to the byte."""
    (op,) = graph.ops
    if OPERATORS[op.kind].in_place(graph, op):
        return 0
    sweep = OPERATORS[op.kind].sweep(graph, op, 0)
    assert sweep is not None
    return sweep.distance_bytes


def _layout(graph: Graph, gap: int) -> Plan:
    """The output at 0, the input ``gap`` bytes above, scratch behind both; not aligned."""
    made = plan(graph)
    element = DTYPE_BYTES[graph.input.dtype]
    gap = -(-gap // element) * element
    offsets = list(made.offsets)
    offsets[graph.outputs[0]], offsets[graph.inputs[0]] = 0, gap
    end = -(-max(graph.output.size_bytes, gap + graph.input.size_bytes) // element) * element
    scratch = OPERATORS[graph.ops[0].kind].scratch_bytes(graph, graph.ops[0])
    return replace(
        made,
        offsets=tuple(offsets),
        scratch=(end if scratch else None,),
        arena_bytes=end + scratch,
    )


@pytest.mark.parametrize("path", PATHS)
def test_kernels_keep_their_promise_at_the_tightest_overlap(path: str, tmp_path: Path) -> None:
    graphs = _single_operators()
    judged = len(graphs)
    graphs += _lines()
    rng = np.random.default_rng(0)
    gaps = [
        [graph.output.size_bytes for graph in graphs],
        [_distance(graph) for graph in graphs],
        [_distance(graph) + int(rng.integers(1, 40)) for graph in graphs],
        [_distance(graph) // 2 for graph in graphs],
    ]
    layouts = [
        _layout(graph, gap) for group in gaps for graph, gap in zip(graphs, group, strict=True)
    ]
    extractors = compile_extractors(graphs * 4, tmp_path, ("-O1", *PATHS[path]), layouts)
    overlapping, garbage = 0, 0
    for number, graph in enumerate(graphs):
        apart, tight, near, too_near = extractors[number :: len(graphs)]
        inputs = random_inputs(graph, INPUTS, rng)
        expected = apart(inputs)
        np.testing.assert_array_equal(tight(inputs), expected)
        np.testing.assert_array_equal(near(inputs), expected)
        overlapping += _distance(graph) < graph.output.size_bytes
        garbage += number < judged and not np.array_equal(too_near(inputs), expected)
    assert overlapping > len(graphs) // 2
    assert garbage > judged // 4, "overlaps that go too far must show"


def _rows_on_a_core() -> list[Conformance]:
    """Models of one operator, or one fused block, that promises an order of rows."""
    names = (*ORDERED, *(case.__name__ for case in ROWS), "inverted_residual", LINES)
    made = [case for name in names for case in models(name, MODELS_ON_A_CORE, INPUTS, 0)]
    return [case for case in made if len(case.graph.ops) == 1]


def _neighbours(graph: Graph, *, source_first: bool) -> Plan:
    """Input and output side by side, the scratch behind the output; not aligned."""
    made, (op,) = plan(graph), graph.ops
    source, target, scratch = (
        graph.input.size_bytes,
        graph.output.size_bytes,
        OPERATORS[op.kind].scratch_bytes(graph, op),
    )
    offsets = list(made.offsets)
    offsets[graph.outputs[0]] = source if source_first else 0
    offsets[graph.inputs[0]] = 0 if source_first else target + scratch
    behind = offsets[graph.outputs[0]] + target if scratch else None
    arena = source + target + scratch
    return replace(made, offsets=tuple(offsets), scratch=(behind,), arena_bytes=arena)


@needs_board_tools
@pytest.mark.parametrize("core", ["m4", "m55"])
def test_kernels_of_a_core_keep_their_promise_too(core: str, tmp_path: Path) -> None:
    apart = _rows_on_a_core()

    def placed(name: str, layout: Callable[[Graph], Plan]) -> list[Conformance]:
        return [
            replace(case, family=f"{name}_{case.family}", layout=layout(case.graph))
            for case in apart
        ]

    def unharmed(cases: list[Conformance]) -> list[Conformance]:
        """Models whose output is their input, once the operator has run."""
        return [
            replace(
                case, graph=replace(case.graph, outputs=case.graph.inputs), expected=case.inputs
            )
            for case in cases
        ]

    cases = [
        *placed("tight", lambda graph: _layout(graph, _distance(graph))),
        *unharmed(placed("before", lambda graph: _neighbours(graph, source_first=True))),
        *unharmed(placed("behind", lambda graph: _neighbours(graph, source_first=False))),
    ]
    too_near = placed("near", lambda graph: _layout(graph, _distance(graph) // 2))
    outputs = cores.run([*cases, *too_near], cores.CORES[core], tmp_path, tmp_path)
    differences = report(cases, outputs[: len(cases)])
    assert not differences, differences
    judged = [LINES not in case.family for case in apart]
    garbage = report(
        list(compress(too_near, judged)), list(compress(outputs[len(cases) :], judged))
    ).count("bytes differ")
    assert garbage > sum(judged) // 4, "overlaps that go too far must show"


@pytest.mark.parametrize("path", PATHS)
def test_networks_give_the_oracles_bytes_under_their_plans(path: str, tmp_path: Path) -> None:
    models = [to_flatbuffer(random_network(seed)) for seed in range(NETWORKS)]
    graphs = [read(model) for model in models]
    extractors = compile_extractors(graphs, tmp_path, ("-O1", *PATHS[path]))
    arena, live, fused, varied = 0, 0, 0, 0
    for model, graph, extract in zip(models, graphs, extractors, strict=True):
        rewritten, made = arrange(graph)
        verify(rewritten, made)
        inputs = random_inputs(graph, INPUTS, np.random.default_rng(1))
        expected = oracle(model, inputs)
        np.testing.assert_array_equal(extract(inputs), expected)
        arena, live, fused = (
            arena + made.arena_bytes,
            live + made.live_bytes,
            fused + len(made.fused),
        )
        varied += len(np.unique(expected)) > 4
    assert arena < 0.8 * live
    assert fused > NETWORKS // 5
    assert varied > NETWORKS // 2


def test_a_float_block_gives_the_same_when_it_is_fused(tmp_path: Path) -> None:
    b = Builder(np.random.default_rng(3), "float32")
    window = {"padding": "SAME", "stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1}
    options = window | {"fused_activation": "RELU6"}
    image = b.activation((1, 9, 7, 4))
    wide, filtered, output = (b.activation((1, 9, 7, channels)) for channels in (20, 20, 6))
    shapes = {"expand": (20, 1, 1, 4), "depthwise": (1, 3, 3, 20), "project": (6, 1, 1, 20)}
    weights = {
        name: b.constant(b.rng.normal(0, 0.3, shape).astype(np.float32))
        for name, shape in shapes.items()
    }
    b.operator("CONV_2D", (image, weights["expand"]), wide, **options)
    b.operator(
        "DEPTHWISE_CONV_2D", (wide, weights["depthwise"]), filtered, depth_multiplier=1, **options
    )
    b.operator("CONV_2D", (filtered, weights["project"]), output, **options)
    graph = b.graph(image, output)
    rewritten = fuse(graph, set(blocks_of(graph)))
    layouts = [plan(graph), plan(rewritten)]
    whole, by_rows = compile_extractors([graph, rewritten], tmp_path, layouts=layouts)
    inputs = random_inputs(graph, 4, np.random.default_rng(4))
    np.testing.assert_array_equal(whole(inputs), by_rows(inputs))
