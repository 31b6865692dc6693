"""The check of plans can say no: to every plan that is wrong, and not to those that are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from codegen.ir import Graph, Op, Tensor
from codegen.ops import OPERATORS
from codegen.passes.simplify import simplify
from codegen.plan import ALIGNMENT_BYTES, Plan, PlanError, arrange, plan, verify
from codegen.plan.fusion import blocks_of, fuse
from codegen.plan.lifetimes import lifetimes, sharing_of
from tools.graphs.networks import Network, random_network


def _residual() -> Graph:
    """An expansion, a projection and a sum with the block's input."""
    shapes = [(1, 64), (1, 256), (1, 64), (1, 64)]
    tensors = tuple(Tensor(f"t{i}", shape, "int8") for i, shape in enumerate(shapes))
    ops = (
        Op("FULLY_CONNECTED", (0,), (1,)),
        Op("FULLY_CONNECTED", (1,), (2,)),
        Op("ADD", (2, 0), (3,)),
    )
    return Graph(tensors, ops, (0,), (3,))


def _moved(made: Plan, tensor: int, offset: int) -> Plan:
    offsets = list(made.offsets)
    offsets[tensor] = offset
    return replace(made, offsets=tuple(offsets))


@pytest.mark.parametrize("tensor", [0, 1, 2])
@pytest.mark.parametrize("shift", [-16, 16, 32, 64])
def test_moved_tensors_are_refused(tensor: int, shift: int) -> None:
    graph = _residual()
    made = plan(graph)
    offset = made.offsets[tensor]
    assert offset is not None
    with pytest.raises(PlanError):
        verify(graph, _moved(made, tensor, offset + shift))


def test_misalignment_is_refused_and_the_culprit_named() -> None:
    graph = _residual()
    made = plan(graph)
    offsets = tuple(None if o is None else o + 8 for o in made.offsets)
    with pytest.raises(PlanError, match="not aligned"):
        verify(graph, replace(made, offsets=offsets, arena_bytes=made.arena_bytes + 16))
    clash = replace(made, offsets=(0, 64, 0, 0))
    with pytest.raises(PlanError, match=r"operator 2 .ADD. reads 't0' after 't2' overwrote it"):
        verify(graph, clash)


def test_orders_that_read_too_early_or_leave_something_out_are_refused() -> None:
    graph = _residual()
    made = plan(graph)
    with pytest.raises(PlanError, match="reads 't1' before it is made"):
        verify(graph, replace(made, order=(1, 0, 2)))
    with pytest.raises(PlanError, match="does not run every operator once"):
        verify(graph, replace(made, order=(0, 1)))


@st.composite
def single_operators(draw: st.DrawFn) -> Graph:
    """A convolution or pooling from the image to the features, by any window, or PAD."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    network = Network(lambda low, high: draw(st.integers(low, high)), rng)
    kind = draw(st.sampled_from(["convolution", "depthwise", "pool", "pad"]))
    shape = (1, *(draw(st.integers(1, 12)) for _ in "hwc"))
    image = network.b.activation(shape, 0.05)
    return network.b.graph(image, getattr(network, kind)(image))


@given(single_operators())
@settings(max_examples=200, deadline=None)
def test_an_output_may_overlap_its_input_just_as_far_as_the_distance_says(graph: Graph) -> None:
    (op,) = graph.ops
    sweep = OPERATORS[op.kind].sweep(graph, op, 0)
    assert sweep is not None
    gap = -(-sweep.distance_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
    source, output = graph.inputs[0], graph.outputs[0]
    largest = max(graph.tensors[i].size_bytes for i in (source, output)) + gap + 64
    made = replace(plan(graph), arena_bytes=largest)
    at = _moved(_moved(made, source, gap), output, 0)
    verify(graph, at)
    assume(gap > 0)
    with pytest.raises(PlanError, match="yet to be read"):
        verify(graph, _moved(at, source, gap - ALIGNMENT_BYTES))


@given(st.integers(0, 1 << 16), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_blocks_that_collide_are_refused(seed: int, random) -> None:
    """Any two tensors or scratches that live together, put closer to each other than allowed."""
    graph, made = arrange(simplify(random_network(seed, blocks=4)))
    lives = lifetimes(graph, made.order, sharing_of(graph))
    sizes = [block.size for block in lives.blocks]
    wrongs = []  # a, b and how far a starts before b
    for a, first in enumerate(lives.blocks):
        for b, second in enumerate(lives.blocks):
            if a == b or not first.meets(second) or (b, a) in lives.gaps:
                continue
            if (a, b) in lives.gaps:  # further in, there may be rows that no window reads; and
                # where 0 is asked, which is the least, a start behind the input's may do as well
                distances = [lives.gaps[a, b] - 16] if lives.gaps[a, b] > 0 else []
            else:
                distances = list(range(16 - sizes[b], sizes[a], 16))
            wrongs += [(a, b, d) for d in distances if -sizes[b] < d < sizes[a]]
    assume(wrongs)
    a, b, distance = random.choice(wrongs)
    places = {**_places(graph, made, lives.blocks), a: 16 * 1024, b: 16 * 1024 + distance}
    offsets, scratch = list(made.offsets), list(made.scratch)
    for index, block in enumerate(lives.blocks):
        for tensor, place in block.tensors.items():
            offsets[tensor] = places[index] + place
        if block.scratch_of is not None:
            scratch[block.scratch_of] = places[index]
    wrong = replace(made, offsets=tuple(offsets), scratch=tuple(scratch), arena_bytes=64 * 1024)
    with pytest.raises(PlanError):
        verify(graph, wrong)


def _places(graph: Graph, made: Plan, blocks) -> dict[int, int]:
    return {
        index: made.scratch[block.scratch_of]
        if block.scratch_of is not None
        else next(made.offsets[tensor] for tensor, place in block.tensors.items() if place == 0)
        for index, block in enumerate(blocks)
    }


def _fused() -> Graph:
    """A network that is one inverted residual."""
    rng = np.random.default_rng(0)
    network = Network(lambda low, high: low, rng)
    image = network.b.activation((1, 8, 8, 4), 0.05)
    y = network.pointwise(image, 16)
    y = network.depthwise(y, 1, kernel=3, stride=1, padding="SAME")
    graph = network.b.graph(image, network.pointwise(y, 4))
    return fuse(graph, set(blocks_of(graph)))


@pytest.mark.parametrize("tensor", ["input", "output"])
def test_scratch_over_an_input_or_output_is_refused(tensor: str) -> None:
    graph = _fused()
    made = plan(graph)
    verify(graph, made)
    assert len(graph.ops) == 1
    index = (graph.inputs if tensor == "input" else graph.outputs)[0]
    offset = made.offsets[index]
    assert offset is not None
    wide = replace(made, arena_bytes=made.arena_bytes + 4096, scratch=(offset,))
    with pytest.raises(PlanError, match="scratch"):
        verify(graph, wide)


def test_scratch_that_leaves_the_arena_is_refused() -> None:
    graph = _fused()
    made = plan(graph)
    with pytest.raises(PlanError, match=r"scratch of operator 0 .* leaves the arena"):
        verify(graph, replace(made, scratch=(made.arena_bytes - 16,)))
    with pytest.raises(PlanError, match="leaves the arena"):
        verify(graph, replace(made, scratch=(None,)))
