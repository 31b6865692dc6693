"""Maps that are pooled behind everything else are pooled where they are made."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from codegen.ir import Graph, Op, Tensor
from codegen.plan import arrange, verify
from codegen.plan.early import early

OPTIONS = MappingProxyType({"keep_dims": True})


def tower(seed: int) -> Graph:
    """Maps made one of another by pointwise RELUs; a mean of some, each written at the end."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 8))
    tensors = [Tensor("axes", (2,), "int32", constant=True, data=np.array([1, 2], np.int32))]
    tensors += [Tensor(f"map{i}", (1, 8, 8, 4), "float32") for i in range(count + 1)]
    chain = [Op("RELU", (i + 1,), (i + 2,), MappingProxyType({})) for i in range(count)]
    tapped = [i + 1 for i in range(count + 1) if rng.random() < 0.6] or [1]
    means, outputs = [], []
    for index in reversed(tapped):
        tensors.append(Tensor("mean", (1, 1, 1, 4), "float32"))
        means.append(Op("MEAN", (index, 0), (len(tensors) - 1,), OPTIONS))
        outputs.append(len(tensors) - 1)
    tensors.append(Tensor("all", (1, 1, 1, 4 * len(outputs)), "float32"))
    join = {"axis": -1, "fused_activation": "NONE"}
    joined = Op("CONCATENATION", tuple(outputs), (len(tensors) - 1,), MappingProxyType(join))
    return Graph(tuple(tensors), (*chain, *means, joined), (1,), (len(tensors) - 1,))


@pytest.mark.parametrize("seed", range(8))
def test_a_map_dies_where_the_next_one_is_made(seed):
    graph = tower(seed)
    moved = early(graph)
    assert sorted(map(repr, moved.ops)) == sorted(map(repr, graph.ops))
    made = {0, *graph.inputs}
    for before, op in zip((None, *moved.ops), moved.ops, strict=False):
        assert set(op.inputs) <= made
        made |= set(op.outputs)
        if op.kind == "MEAN" and before is not None:
            assert before.kind == "MEAN" or op.inputs[0] in before.outputs
    assert early(moved).ops == moved.ops
    planned, plan = arrange(graph)
    verify(planned, plan)
    map_bytes, pooled = 4 * 8 * 8 * 4, sum(op.kind == "MEAN" for op in graph.ops)
    # The chain runs in place; a mean is 16 bytes, and all of them come together once.
    assert plan.arena_bytes <= map_bytes + 16 * 2 * pooled


def test_a_mean_that_others_read_after_stays_where_it_is():
    """As the gate of a squeeze-excite: its map is multiplied with it."""
    axes = Tensor("axes", (2,), "int32", constant=True, data=np.array([1, 2], np.int32))
    wide, small = Tensor("x", (1, 4, 4, 4), "float32"), Tensor("m", (1, 1, 1, 4), "float32")
    ops = (
        Op("RELU", (1,), (2,), MappingProxyType({})),
        Op("RELU6", (1,), (3,), MappingProxyType({})),
        Op("MEAN", (2, 0), (4,), OPTIONS),
        Op("MUL", (2, 4), (5,), MappingProxyType({"fused_activation": "NONE"})),
        Op("ADD", (3, 5), (6,), MappingProxyType({"fused_activation": "NONE"})),
    )
    graph = Graph((axes, wide, wide, wide, small, wide, wide), ops, (1,), (6,))
    assert early(graph).ops == graph.ops
