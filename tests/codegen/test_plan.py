"""The arena: plans are sound, small, share bytes where that is safe, and verify can say no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.ir import Graph, Op, Tensor
from codegen.plan import ALIGNMENT_BYTES, PlanError, plan, verify


def _graph(shapes: Sequence[tuple[int, ...]], ops: list[Op], output: int) -> Graph:
    tensors = tuple(Tensor(f"t{i}", shape, "int8") for i, shape in enumerate(shapes))
    return Graph(tensors, tuple(ops), (0,), (output,))


@st.composite
def _graphs(draw: st.DrawFn) -> Graph:
    """Chains with branches of made-up sizes, over all kinds of sharing."""
    shapes: list[tuple[int, ...]] = [(1, draw(st.integers(1, 400)))]
    ops: list[Op] = []
    for _ in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(["CONV_2D", "ADD", "HARD_SWISH", "RESHAPE"]))
        source = draw(st.integers(max(0, len(shapes) - 4), len(shapes) - 1))
        inputs = [source]
        if kind == "ADD":
            equal = [i for i, shape in enumerate(shapes) if shape == shapes[source]]
            inputs.append(draw(st.sampled_from(equal)))
        shape = (1, draw(st.integers(1, 400))) if kind == "CONV_2D" else shapes[source]
        shapes.append(shape)
        ops.append(Op(kind, tuple(inputs), (len(shapes) - 1,)))
    return _graph(shapes, ops, draw(st.integers(1, len(shapes) - 1)))


@given(_graphs())
@settings(max_examples=100, deadline=None)
def test_random_plans_are_sound(graph: Graph) -> None:
    made = plan(graph)
    verify(graph, made)
    assert made.arena_bytes >= made.lower_bound_bytes
    assert all(o is None or o % ALIGNMENT_BYTES == 0 for o in made.offsets)
    assert made == plan(graph)


def test_operators_work_in_place_over_dying_inputs() -> None:
    graph = _graph(
        [(1, 160)] * 4,
        [Op("HARD_SWISH", (0,), (1,)), Op("CONV_2D", (1,), (2,)), Op("ADD", (2, 1), (3,))],
        3,
    )
    made = plan(graph)
    assert made.offsets[0] == made.offsets[1]
    assert made.offsets[3] == made.offsets[2]
    assert made.arena_bytes == made.lower_bound_bytes == 320


def test_an_input_that_is_read_again_is_not_overwritten() -> None:
    graph = _graph([(1, 160)] * 3, [Op("HARD_SWISH", (0,), (1,)), Op("ADD", (0, 1), (2,))], 2)
    made = plan(graph)
    assert made.offsets[0] != made.offsets[1]
    verify(graph, made)


def test_a_broadcast_operand_is_not_overwritten() -> None:
    tensors = (
        Tensor("image", (1, 4, 4, 4), "int8"),
        Tensor("gate", (1, 1, 1, 4), "int8"),
        Tensor("gated", (1, 4, 4, 4), "int8"),
    )
    ops = (Op("CONV_2D", (0,), (1,)), Op("MUL", (1, 0), (2,)))
    made = plan(Graph(tensors, ops, (0,), (2,)))
    assert made.offsets[2] == made.offsets[0]
    assert made.arena_bytes == 64 + 16


def test_reshape_is_an_alias_even_of_a_tensor_that_lives_on() -> None:
    graph = _graph(
        [(1, 160), (160,), (1, 32), (1, 160)],
        [Op("RESHAPE", (0,), (1,)), Op("CONV_2D", (1,), (2,)), Op("ADD", (1, 0), (3,))],
        3,
    )
    made = plan(graph)
    assert made.offsets[0] == made.offsets[1]
    verify(graph, made)


def test_a_tensor_without_reader_still_gets_room() -> None:
    graph = _graph([(1, 160)] * 3, [Op("CONV_2D", (0,), (1,)), Op("CONV_2D", (0,), (2,))], 2)
    verify(graph, plan(graph))


def _tangle(rng: np.random.Generator) -> Graph:
    """Fifteen tensors of random sizes, each made from up to two recent ones."""
    shapes = [(1, 16 * int(rng.integers(1, 30)))]
    ops = []
    for _ in range(14):
        last, reach = len(shapes) - 1, int(rng.integers(1, 5))
        sources = sorted({max(0, last - int(back)) for back in rng.integers(reach, size=2)})
        shapes.append((1, 16 * int(rng.integers(1, 30))))
        ops.append(Op("CONV_2D", tuple(sources), (len(shapes) - 1,)))
    return _graph(shapes, ops, len(shapes) - 1)


def test_branch_and_bound_finds_what_greedy_orders_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    graphs = [_tangle(rng) for _ in range(30)]
    searched = [plan(graph) for graph in graphs]
    monkeypatch.setattr("codegen.plan.SEARCH_NODES", 0)
    greedy = [plan(graph) for graph in graphs]
    for graph, best, quick in zip(graphs, searched, greedy, strict=True):
        verify(graph, best)
        assert best.lower_bound_bytes <= best.arena_bytes <= quick.arena_bytes
    reached = [sum(p.arena_bytes == p.lower_bound_bytes for p in ps) for ps in (searched, greedy)]
    assert reached[0] > reached[1]


def test_unused_tensors_and_constants_have_no_offset() -> None:
    tensors = (
        Tensor("in", (1, 8), "int8"),
        Tensor("weights", (8, 8), "int8", constant=True),
        Tensor("out", (1, 8), "int8"),
        Tensor("unused", (1, 800), "int8"),
    )
    made = plan(Graph(tensors, (Op("FULLY_CONNECTED", (0, 1), (2,)),), (0,), (2,)))
    assert made.offsets[1] is None
    assert made.offsets[3] is None
    assert made.arena_bytes == 32


def _residual() -> Graph:
    """An expansion, a projection and a sum with the block's input."""
    return _graph(
        [(1, 64), (1, 256), (1, 64), (1, 64)],
        [Op("CONV_2D", (0,), (1,)), Op("CONV_2D", (1,), (2,)), Op("ADD", (2, 0), (3,))],
        3,
    )


@pytest.mark.parametrize("tensor", [0, 1, 2, 3])
@pytest.mark.parametrize("shift", [-16, 16, 32, 64])
def test_verify_refuses_moved_tensors(tensor: int, shift: int) -> None:
    graph = _residual()
    made = plan(graph)
    offsets = list(made.offsets)
    offset = offsets[tensor]
    assert offset is not None
    offsets[tensor] = offset + shift
    with pytest.raises(PlanError):
        verify(graph, replace(made, offsets=tuple(offsets)))


def test_verify_refuses_misalignment_and_names_the_culprit() -> None:
    graph = _residual()
    made = plan(graph)
    offsets = tuple(None if o is None else o + 8 for o in made.offsets)
    with pytest.raises(PlanError, match="not aligned"):
        verify(graph, replace(made, offsets=offsets, arena_bytes=made.arena_bytes + 16))
    clash = replace(made, offsets=(0, 64, 0, 0))
    with pytest.raises(PlanError, match=r"operator 2 .ADD. reads 't0' after 't2' overwrote it"):
        verify(graph, clash)
