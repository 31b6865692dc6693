"""Concatenations: along the outermost axis their inputs are made in place, along others they lie over the output's end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen import project
from codegen.boards.board import load
from codegen.emit.network import context_of
from codegen.frontend.cut import without_head
from codegen.frontend.read import open_model, read
from codegen.ir import Graph, Op, Tensor
from codegen.memory.code_size import kernel_bytes
from codegen.plan import PlanError, arrange, plan, verify
from codegen.plan.joining import join
from tests.support.extractors import compile_extractors, oracle
from tests.support.models import random_inputs, to_flatbuffer
from tools.graphs.networks import SCALE, Network, picks

GUIDES = Path(__file__).parents[1] / "guides"
NO_GOLDEN = project.Golden(np.zeros((0, 48, 48, 3), np.int8), np.zeros((0, 2880 * 16), np.int8))
NETWORKS = 16
INPUTS = 3


def concatenated(network: Network, parts: list[int], axis: int) -> int:
    """Of tensors with one scale and zero point."""
    b = network.b
    shape = list(network.shape(parts[0]))
    shape[axis] = sum(network.shape(part)[axis] for part in parts)
    output = b.activation(tuple(shape), *network.codes(parts[0]))
    return b.operator("CONCATENATION", tuple(parts), output, axis=axis, fused_activation="NONE")


def branching(seed: int) -> Graph:
    """A trunk, branches from it that are joined by rows or by channels, once or twice; some go on being read."""
    rng = np.random.default_rng(seed)
    network = Network(picks(rng), rng)
    b = network.b
    axis = 1 + 2 * (seed % 2)
    image = b.activation((1, *(int(n) for n in rng.integers(4, 13, 2)), 4), SCALE)
    trunk = network.pointwise(image, 4 * network.pick(1, 4))
    channels = 16 if axis == 1 else 0

    def branch(source: int, like: int | None) -> int:
        made = network.convolution(
            source, channels or network.channels(), kernel=3, stride=1, padding="SAME"
        )
        if like is not None:
            b.tensors[made] = replace(b.tensors[made], quantization=b.tensors[like].quantization)
        return made

    def several(source: int) -> list[int]:
        first = branch(source, None)
        return [first, *(branch(source, first) for _ in range(network.pick(1, 2)))]

    parts = several(trunk)
    joined = concatenated(network, parts, axis)
    if seed % 3 == 0:  # of one that is joined again, and read beside
        joined = concatenated(network, [branch(parts[0], parts[0]), joined], axis)
    if seed % 4 < 2:  # renamed, as detectors do it
        flat = (1, int(np.prod(network.shape(joined))))
        shape = b.constant(np.array(flat, np.int32))
        return b.graph(
            image,
            b.operator("RESHAPE", (joined, shape), b.activation(flat, *network.codes(joined))),
        )
    return b.graph(image, network.pointwise(joined, 3))


def test_networks_with_concatenations_give_the_oracles_bytes_in_smaller_arenas(
    tmp_path: Path,
) -> None:
    models = [to_flatbuffer(branching(seed)) for seed in range(NETWORKS)]
    graphs = [read(model) for model in models]
    extractors = compile_extractors(graphs, tmp_path)
    joins, smaller, live = 0, 0, 0
    for model, graph, extract in zip(models, graphs, extractors, strict=True):
        rewritten, made = arrange(graph)
        verify(rewritten, made)
        joins += sum(op.kind == "JOIN" for op in rewritten.ops)
        smaller += made.arena_bytes
        live += made.live_bytes
        inputs = random_inputs(graph, INPUTS, np.random.default_rng(1))
        expected = oracle(model, inputs)
        assert len(np.unique(expected)) > 4
        np.testing.assert_array_equal(extract(inputs), expected)
    assert joins >= NETWORKS // 2
    assert smaller < 0.8 * live


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Made-up sizes; what was joined is joined again, renamed, read beside and overwritten."""
    shapes: list[tuple[int, ...]] = [(1, draw(st.integers(1, 100)))]
    ops: list[Op] = []
    kinds = ["FULLY_CONNECTED", "CONCATENATION", "CONCATENATION", "ADD", "HARD_SWISH", "RESHAPE"]
    for _ in range(draw(st.integers(1, 20))):
        kind = draw(st.sampled_from(kinds))
        near = st.integers(max(0, len(shapes) - 5), len(shapes) - 1)
        inputs = [draw(near)]
        shape = shapes[inputs[0]]
        options: dict[str, int | str] = {}
        if kind == "FULLY_CONNECTED":
            shape = (1, draw(st.sampled_from([16, 32, 48, 64, 100])))
        elif kind == "ADD":
            equal = [i for i, other in enumerate(shapes) if other == shape]
            inputs.append(draw(st.sampled_from(equal)))
        elif kind == "CONCATENATION":
            inputs += [draw(near) for _ in range(draw(st.integers(0, 2)))]
            shape = (1, sum(shapes[i][1] for i in inputs))
            options = {"axis": 1}
        shapes.append(shape)
        ops.append(Op(kind, tuple(inputs), (len(shapes) - 1,), options))
    tensors = tuple(Tensor(f"t{i}", shape, "int8") for i, shape in enumerate(shapes))
    return Graph(tensors, tuple(ops), (0,), (draw(st.integers(1, len(shapes) - 1)),))


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_whatever_is_joined_plans_are_sound_and_no_larger(graph: Graph) -> None:
    joined = join(graph, _concatenations(graph))
    verify(joined, plan(joined, nodes=20))
    rewritten, made = arrange(graph, nodes=20)
    verify(rewritten, made)
    assert made.arena_bytes <= plan(graph, nodes=20).arena_bytes
    assert made.arena_bytes >= made.lower_bound_bytes


def _concatenations(graph: Graph) -> list[int]:
    return [number for number, op in enumerate(graph.ops) if op.kind == "CONCATENATION"]


def _two() -> Graph:
    """Two branches of 64 bytes, joined."""
    tensors = tuple(Tensor(f"t{i}", (1, n), "int8") for i, n in enumerate((32, 64, 64, 128, 8)))
    ops = (
        Op("FULLY_CONNECTED", (0,), (1,)),
        Op("FULLY_CONNECTED", (0,), (2,)),
        Op("CONCATENATION", (1, 2), (3,), {"axis": 1}),
        Op("FULLY_CONNECTED", (3,), (4,)),
    )
    return Graph(tensors, ops, (0,), (4,))


def test_two_branches_take_no_more_than_what_they_are_joined_to() -> None:
    graph = _two()
    rewritten, made = arrange(graph)
    assert rewritten.ops[2].kind == "JOIN"
    assert made.offsets[1:4] == (made.offsets[3], made.offsets[3] + 64, made.offsets[3])
    assert made.arena_bytes == 32 + 128
    assert plan(graph).arena_bytes == 2 * 128


def test_a_detector_is_emitted_without_the_kernel_that_copies() -> None:
    """Through all that a project takes: its sizes, its calls."""
    graph = without_head(open_model(GUIDES / "detector.int8.tflite")).graph
    context = context_of(project.Network("detector", graph, load("nucleo_h743zi"), NO_GOLDEN))
    assert [op.kind for op in context["graph"].ops].count("JOIN") == 1
    assert context["plan"].arena_bytes == 11_088
    assert "concatenation" not in {call.kernel for call in context["calls"]}
    copying = context["graph"].ops
    copied = replace(
        context["graph"],
        ops=tuple(replace(op, kind=op.kind.replace("JOIN", "CONCATENATION")) for op in copying),
    )
    board = load("nucleo_h743zi")
    assert kernel_bytes(context["graph"], board) < kernel_bytes(copied, board)


@pytest.mark.parametrize("tensor", [1, 2, 3])
def test_parts_elsewhere_are_refused(tensor: int) -> None:
    rewritten, made = arrange(_two())
    offsets = list(made.offsets)
    offsets[tensor] += 16
    with pytest.raises(PlanError):
        verify(rewritten, replace(made, offsets=tuple(offsets), arena_bytes=512))


@pytest.mark.parametrize("case", ["twice", "unaligned", "constant", "inner axis", "in two"])
def test_what_has_no_place_of_its_own_is_copied(case: str) -> None:
    graph = _two()
    tensors, ops = list(graph.tensors), list(graph.ops)
    if case == "twice":
        ops[2] = replace(ops[2], inputs=(1, 1))
    elif case == "unaligned":
        tensors[1] = replace(tensors[1], shape=(1, 60))
        tensors[3] = replace(tensors[3], shape=(1, 124))
    elif case == "constant":
        tensors[2] = replace(tensors[2], constant=True)
        del ops[1]
    elif case == "inner axis":
        for index in (1, 2, 3):
            shape = (1, 4, tensors[index].elements // 4)
            tensors[index] = replace(tensors[index], shape=shape)
        ops[2] = replace(ops[2], options={"axis": 2})
    else:
        tensors.append(Tensor("t5", (1, 128), "int8"))
        ops.insert(3, Op("CONCATENATION", (2, 1), (5,), {"axis": 1}))
        ops.append(Op("ADD", (3, 5), (6,)))
        tensors.append(Tensor("t6", (1, 128), "int8"))
    graph = replace(graph, tensors=tuple(tensors), ops=tuple(ops), outputs=ops[-1].outputs)
    rewritten = join(graph, _concatenations(graph))
    assert sum(op.kind == "JOIN" for op in rewritten.ops) == (case == "in two")
    verify(rewritten, plan(rewritten))
