"""The arena: plans are sound, small, and share bytes where that is safe.

FULLY_CONNECTED stands for an operator that promises no order: its output overlaps nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.ir import Graph, Op, Tensor
from codegen.passes.simplify import simplify
from codegen.plan import ALIGNMENT_BYTES, arrange, plan, verify
from codegen.plan.lifetimes import Block, Lifetimes, lifetimes, sharing_of
from codegen.plan.occupancy import occupancy
from codegen.plan.offsets import pack
from codegen.plan.order import better_order
from tools.graphs.networks import Network


def _graph(shapes: Sequence[tuple[int, ...]], ops: list[Op], output: int) -> Graph:
    tensors = tuple(Tensor(f"t{i}", shape, "int8") for i, shape in enumerate(shapes))
    return Graph(tensors, tuple(ops), (0,), (output,))


@st.composite
def _graphs(draw: st.DrawFn) -> Graph:
    """Chains with branches of made-up sizes, over all kinds of sharing."""
    shapes: list[tuple[int, ...]] = [(1, draw(st.integers(1, 400)))]
    ops: list[Op] = []
    for _ in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(["FULLY_CONNECTED", "ADD", "HARD_SWISH", "RESHAPE"]))
        source = draw(st.integers(max(0, len(shapes) - 4), len(shapes) - 1))
        inputs = [source]
        if kind == "ADD":
            equal = [i for i, shape in enumerate(shapes) if shape == shapes[source]]
            inputs.append(draw(st.sampled_from(equal)))
        shape = (1, draw(st.integers(1, 400))) if kind == "FULLY_CONNECTED" else shapes[source]
        shapes.append(shape)
        ops.append(Op(kind, tuple(inputs), (len(shapes) - 1,)))
    return _graph(shapes, ops, draw(st.integers(1, len(shapes) - 1)))


@given(_graphs())
@settings(max_examples=60, deadline=None)
def test_random_plans_are_sound(graph: Graph) -> None:
    made = plan(graph, nodes=40)
    verify(graph, made)
    assert made.arena_bytes >= made.lower_bound_bytes
    assert all(o is None or o % ALIGNMENT_BYTES == 0 for o in made.offsets)
    assert made == plan(graph, nodes=40)


@settings(max_examples=30)
@given(_graphs())
def test_the_picture_of_a_plan_has_every_block_and_reaches_the_top_of_the_arena(graph) -> None:
    planned = plan(graph)
    kinds, blocks = occupancy(graph, planned)
    assert list(kinds) == [graph.ops[number].kind for number in planned.order]
    assert max(block.offset + block.size for block in blocks) == planned.arena_bytes
    lives = lifetimes(graph, planned.order, sharing_of(graph)).blocks
    assert [(one.size, one.first, one.last) for one in blocks] == [
        (one.size, one.first, one.last) for one in lives
    ]
    for tensor, offset in enumerate(planned.offsets):
        (owner,) = (
            (one for one in lives if tensor in one.tensors) if offset is not None else (None,)
        )
        assert owner is None or blocks[lives.index(owner)].offset == offset


def test_operators_work_in_place_over_dying_inputs() -> None:
    graph = _graph(
        [(1, 160)] * 4,
        [Op("HARD_SWISH", (0,), (1,)), Op("FULLY_CONNECTED", (1,), (2,)), Op("ADD", (2, 1), (3,))],
        3,
    )
    made = plan(graph)
    assert made.offsets[0] == made.offsets[1]
    assert made.offsets[3] in made.offsets[1:3]
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
    ops = (Op("FULLY_CONNECTED", (0,), (1,)), Op("MUL", (1, 0), (2,)))
    made = plan(Graph(tensors, ops, (0,), (2,)))
    assert made.offsets[2] == made.offsets[0]
    assert made.arena_bytes == 64 + 16


def test_reshape_is_an_alias_even_of_a_tensor_that_lives_on() -> None:
    graph = _graph(
        [(1, 160), (160,), (1, 32), (1, 160)],
        [Op("RESHAPE", (0,), (1,)), Op("FULLY_CONNECTED", (1,), (2,)), Op("ADD", (1, 0), (3,))],
        3,
    )
    made = plan(graph)
    assert made.offsets[0] == made.offsets[1]
    verify(graph, made)


def test_a_tensor_without_reader_still_gets_room() -> None:
    graph = _graph(
        [(1, 160)] * 3, [Op("FULLY_CONNECTED", (0,), (1,)), Op("FULLY_CONNECTED", (0,), (2,))], 2
    )
    verify(graph, plan(graph))


def _tangle(rng: np.random.Generator) -> Graph:
    """Fifteen tensors of random sizes, each made from up to two recent ones."""
    shapes = [(1, 16 * int(rng.integers(1, 30)))]
    ops = []
    for _ in range(14):
        last, reach = len(shapes) - 1, int(rng.integers(1, 5))
        sources = sorted({max(0, last - int(back)) for back in rng.integers(reach, size=2)})
        shapes.append((1, 16 * int(rng.integers(1, 30))))
        ops.append(Op("FULLY_CONNECTED", tuple(sources), (len(shapes) - 1,)))
    return _graph(shapes, ops, len(shapes) - 1)


def test_branch_and_bound_finds_what_greedy_orders_miss() -> None:
    rng = np.random.default_rng(2)
    graphs = [_tangle(rng) for _ in range(30)]
    searched = [plan(graph) for graph in graphs]
    greedy = [plan(graph, nodes=0) for graph in graphs]
    for graph, best, quick in zip(graphs, searched, greedy, strict=True):
        verify(graph, best)
        assert best.lower_bound_bytes <= best.arena_bytes <= quick.arena_bytes
    assert sum(a.arena_bytes < b.arena_bytes for a, b in zip(searched, greedy, strict=True)) > 5
    assert all(best.optimal for best in searched)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 4), st.integers(0, 4)), max_size=6))
@settings(max_examples=150, deadline=None)
def test_optimal_plans_are_as_small_as_exhaustive_search(spans: list[tuple[int, int, int]]) -> None:
    """Blocks of random sizes and lives; every order of placing them on top of each other."""
    blocks = [Block(ALIGNMENT_BYTES * size, first, first + length) for size, first, length in spans]
    steps = range(10)
    needs = [sum(b.size for b in blocks if b.first <= step <= b.last) for step in steps]
    packing = pack(Lifetimes(blocks, {}, needs, needs), nodes=1000)
    assert packing.bound == packing.extent == _exhaustive(blocks)


def _exhaustive(blocks: Sequence[Block]) -> int:
    least = sum(block.size for block in blocks)
    for order in permutations(blocks):
        tops: list[tuple[Block, int]] = []
        for block in order:
            below = (top for other, top in tops if other.meets(block))
            tops.append((block, max(below, default=0) + block.size))
        least = min(least, max((top for _, top in tops), default=0))
    return least


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


def _image(side: int, channels: int, name: str = "image") -> Tensor:
    return Tensor(name, (1, side, side, channels), "int8")


def _slide(kind: str, kernel: int, stride: int = 1, **options: int) -> dict[str, int | str]:
    same = {"padding": "EXPLICIT", "pad_top": kernel // 2, "pad_left": kernel // 2}
    return same | {"stride_h": stride, "stride_w": stride} | options


def _window_graph(kind: str, side: int, channels: tuple[int, int], kernel: int, stride: int = 1):
    """One convolution from an image; shapes only."""
    before, after = channels
    depthwise = kind == "DEPTHWISE_CONV_2D"
    shape = (1, kernel, kernel, after) if depthwise else (after, kernel, kernel, before)
    weights = Tensor("weights", shape, "int8", constant=True)
    tensors = (_image(side, before), weights, _image(-(-side // stride), after, "out"))
    op = Op(kind, (0, 1), (2,), _slide(kind, kernel, stride))
    return Graph(tensors, (op,), (0,), (2,))


def test_a_depthwise_convolution_needs_two_rows_more_than_its_input() -> None:
    made = plan(_window_graph("DEPTHWISE_CONV_2D", 16, (16, 16), 3))
    row = 16 * 16
    assert made.arena_bytes == 16 * row + 2 * row
    assert made.live_bytes == 2 * 16 * row
    assert made.optimal


def test_an_expansion_keeps_its_input_at_the_end_of_its_output() -> None:
    graph = _window_graph("CONV_2D", 16, (8, 32), 1)
    made = plan(graph)
    # When the last output row is written, the last input row is still there.
    assert made.arena_bytes == 16 * 16 * 32 + 16 * 8
    assert made.offsets[0] == made.arena_bytes - 16 * 16 * 8
    verify(graph, made)


def test_a_projection_needs_one_row_more_than_its_input() -> None:
    made = plan(_window_graph("CONV_2D", 16, (32, 8), 1))
    assert made.arena_bytes == 16 * 16 * 32 + 16 * 8


def test_images_of_one_row_do_not_overlap() -> None:
    made = plan(_window_graph("CONV_2D", 1, (32, 32), 1))
    assert made.arena_bytes == 64


def _branches(order: tuple[int, ...]) -> Graph:
    """A wide and a narrow way from one tensor, added; operators in the given order."""
    shapes = [(1, 160), (1, 640), (1, 32), (1, 64), (1, 32), (1, 32)]
    ops = [
        Op("FULLY_CONNECTED", (0,), (1,)),
        Op("FULLY_CONNECTED", (1,), (2,)),
        Op("FULLY_CONNECTED", (0,), (3,)),
        Op("FULLY_CONNECTED", (3,), (4,)),
        Op("ADD", (2, 4), (5,)),
    ]
    return _graph(shapes, [ops[i] for i in order], 5)


def test_the_order_of_branches_is_chosen() -> None:
    breadth_first = _branches((0, 2, 1, 3, 4))
    made = plan(breadth_first)
    verify(breadth_first, made)
    assert made.order == (0, 2, 1, 3, 4), "the wide tensor dies before the second way begins"
    assert made.arena_bytes == 160 + 640 + 32


def test_a_good_order_and_a_chain_stay_as_they_are() -> None:
    good = _branches((0, 1, 2, 3, 4))
    assert plan(good).order == tuple(range(5))
    chain = _graph(
        [(1, 16 * n) for n in (3, 9, 1, 7)],
        [Op("FULLY_CONNECTED", (i,), (i + 1,)) for i in range(3)],
        3,
    )
    assert plan(chain).order == (0, 1, 2)


@st.composite
def _tangles(draw: st.DrawFn) -> Graph:
    """Few enough operators for all orders to be tried."""
    shapes = [(1, 16 * draw(st.integers(1, 20)))]
    ops = []
    for _ in range(draw(st.integers(2, 6))):
        sources = draw(st.sets(st.integers(0, len(shapes) - 1), min_size=1, max_size=2))
        shapes.append((1, 16 * draw(st.integers(1, 20))))
        ops.append(Op("FULLY_CONNECTED", tuple(sorted(sources)), (len(shapes) - 1,)))
    return _graph(shapes, ops, len(shapes) - 1)


@given(_tangles())
@settings(max_examples=80, deadline=None)
def test_no_order_has_a_smaller_largest_step(graph: Graph) -> None:
    sharing = sharing_of(graph)
    own = max(lifetimes(graph, range(len(graph.ops)), sharing).needs)
    order = better_order(graph, sharing, own)
    least = own if order is None else max(lifetimes(graph, order, sharing).needs)
    assert least == min(
        max(lifetimes(graph, other, sharing).needs)
        for other in permutations(range(len(graph.ops)))
        if _runs(graph, other)
    )


def _runs(graph: Graph, order: Sequence[int]) -> bool:
    made = set(graph.inputs)
    for number in order:
        if not made.issuperset(graph.ops[number].inputs):
            return False
        made.update(graph.ops[number].outputs)
    return True


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """Networks of all building blocks, as the generator plans them."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    network = Network(lambda low, high: draw(st.integers(low, high)), rng)
    return simplify(network.build(draw(st.integers(1, 8))))


@given(networks())
@settings(max_examples=60, deadline=None)
def test_plans_of_networks_are_sound(network: Graph) -> None:
    graph, made = arrange(network)
    verify(graph, made)
    assert made.lower_bound_bytes <= made.arena_bytes <= made.unfused_bytes <= made.live_bytes
    assert made == arrange(network)[1]
