"""The simplifier does what it promises: fewer operators, smaller kernels, the same shapes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codegen import ops
from codegen.emit.emitter import lower
from codegen.frontend.read import parse
from codegen.ir import Graph
from codegen.passes.legalize import legalize
from codegen.passes.simplify import simplify
from codegen.plan import plan
from tests.support.models import to_flatbuffer
from tools.graphs.builder import Builder
from tools.graphs.cases import CASES

CONV = {
    "padding": "SAME",
    "stride_h": 1,
    "stride_w": 1,
    "fused_activation": "NONE",
    "dilation_h": 1,
    "dilation_w": 1,
}


def _parsed(b: Builder, source: int, output: int) -> Graph:
    return parse(to_flatbuffer(b.graph(source, output)))


def _weights(b: Builder, shape: tuple[int, ...]) -> int:
    return b.constant(b.rng.integers(1, 9, shape).astype(np.int8), (0.1,))


def test_hard_sigmoid_becomes_the_convolutions_table() -> None:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 4, 4, 3))
    hidden = b.activation((1, 4, 4, 2), 6 / 255, -128)
    b.operator("CONV_2D", (source, _weights(b, (2, 1, 1, 3))), hidden, **CONV)
    three = b.constant(np.asarray(127, np.int8), (3 / 255,), zero=-128)
    gate = b.activation((1, 4, 4, 2), 6 / 255, -128)
    b.operator("ADD", (three, hidden), gate, fused_activation="RELU6")
    sixth = b.constant(np.asarray(127, np.int8), (1 / 6 / 255,), zero=-128)
    output = b.activation((1, 4, 4, 2), 1 / 256, -128)
    b.operator("MUL", (gate, sixth), output, fused_activation="NONE")
    simple = simplify(_parsed(b, source, output))
    (op,) = simple.ops
    assert op.kind == "CONV_2D"
    assert op.outputs == (output,)
    table = simple.tensors[op.inputs[3]].data
    assert table is not None
    reals = (np.arange(-128, 128) + 128) * 6 / 255
    expected = np.clip(reals + 3, 0, 6) / 6 * 256 - 128
    assert np.abs(table - expected.clip(-128, 127)).max() <= 1.5


def test_a_value_that_is_read_twice_keeps_its_own_table() -> None:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 4, 4, 3))
    hidden = b.activation((1, 4, 4, 2))
    b.operator("CONV_2D", (source, _weights(b, (2, 1, 1, 3))), hidden, **CONV)
    activated = b.operator("HARD_SWISH", (hidden,), b.activation((1, 4, 4, 2), 0.04))
    output = b.activation((1, 4, 4, 2))
    b.operator("ADD", (hidden, activated), output, fused_activation="NONE")
    assert [op.kind for op in simplify(_parsed(b, source, output)).ops] == [
        "CONV_2D",
        "LOOKUP",
        "ADD",
    ]


def test_the_graphs_output_keeps_its_value() -> None:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 8))
    output = b.operator("HARD_SWISH", (source,), b.activation((1, 8), 0.04))
    b.operator("HARD_SWISH", (output,), b.activation((1, 8), 0.04))
    assert [op.kind for op in simplify(_parsed(b, source, output)).ops] == ["LOOKUP", "LOOKUP"]


def test_zero_rows_and_columns_are_dropped() -> None:
    b = Builder(np.random.default_rng(0))
    taps = np.zeros((1, 4, 4, 3), np.int8)
    taps[:, :3, :3] = 1
    source, output = b.activation((1, 8, 8, 3)), b.activation((1, 4, 4, 3))
    weights = b.constant(taps, (0.1,) * 3, 3)
    strided = {**CONV, "stride_h": 2, "stride_w": 2, "depth_multiplier": 1}
    b.operator("DEPTHWISE_CONV_2D", (source, weights), output, **strided)
    graph = _parsed(b, source, output)
    simple = simplify(graph)
    (op,) = simple.ops
    assert simple.tensors[op.inputs[1]].shape == (1, 3, 3, 3)
    assert (op.options["pad_top"], op.options["pad_left"]) == (1, 1)
    assert ops.constant_bytes(graph) - ops.constant_bytes(simple) == 7 * 3


def test_a_kernel_of_zeros_keeps_one_tap() -> None:
    b = Builder(np.random.default_rng(0))
    source, output = b.activation((1, 8, 8, 3)), b.activation((1, 8, 8, 2))
    weights = b.constant(np.zeros((2, 3, 3, 3), np.int8), (0.1,))
    b.operator("CONV_2D", (source, weights), output, **CONV)
    simple = simplify(_parsed(b, source, output))
    assert simple.tensors[simple.ops[0].inputs[1]].shape == (2, 1, 1, 3)
    ops.check(simple)


@pytest.mark.parametrize(("value", "kinds"), [(7, ["CONV_2D"]), (8, ["PADV2", "CONV_2D"])])
def test_padding_is_absorbed_only_if_it_pads_with_zero(value: int, kinds: list[str]) -> None:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 4, 4, 2), 0.05, 7)
    amounts = b.constant(np.array([[0, 0], [1, 0], [0, 1], [0, 0]], np.int32))
    fill = b.constant(np.array([value], np.int8), (0.05,), zero=7)
    padded = b.operator("PADV2", (source, amounts, fill), b.activation((1, 5, 5, 2), 0.05, 7))
    output = b.activation((1, 4, 4, 3))
    weights = _weights(b, (3, 2, 2, 2))
    b.operator("CONV_2D", (padded, weights), output, **{**CONV, "padding": "VALID"})
    assert [op.kind for op in simplify(_parsed(b, source, output)).ops] == kinds


def test_codes_do_not_take_the_way_through_reals() -> None:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 16, 16, 1), 0.05, 3)
    reals = b.operator("DEQUANTIZE", (source,), b.activation((1, 16, 16, 1), dtype="float32"))
    output = b.operator("QUANTIZE", (reals,), b.activation((1, 16, 16, 1), 0.1, -7))
    (op,) = simplify(_parsed(b, source, output)).ops
    assert op.kind == "LOOKUP"


@pytest.mark.parametrize(("scale", "kind"), [(0.05, "RESHAPE"), (0.06, "LOOKUP")])
def test_what_changes_no_code_costs_nothing(scale: float, kind: str) -> None:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 16), 0.05, 3)
    output = b.operator("QUANTIZE", (source,), b.activation((1, 16), scale, 3))
    (op,) = simplify(_parsed(b, source, output)).ops
    assert op.kind == kind


def test_a_constant_is_subtracted_by_table() -> None:
    b = Builder(np.random.default_rng(0))
    source, output = b.activation((1, 16)), b.activation((1, 16), 0.1)
    one = b.constant(np.asarray(100, np.int8), (0.01,))
    b.operator("SUB", (one, source), output, fused_activation="NONE")
    (op,) = simplify(_parsed(b, source, output)).ops
    assert (op.kind, op.inputs[0]) == ("LOOKUP", source)


def test_reshapes_in_a_row_are_one() -> None:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 4, 4, 2), 0.05, 3)
    flat = b.operator("RESHAPE", (source,), b.activation((1, 32), 0.05, 3))
    output = b.operator("RESHAPE", (flat,), b.activation((1, 8, 4), 0.05, 3))
    (op,) = simplify(_parsed(b, source, output)).ops
    assert (op.inputs[0], op.outputs[0]) == (source, output)


@pytest.mark.parametrize("dtype", ["int8", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_simplified_graphs_are_valid_final_and_of_the_announced_size(name: str, dtype: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        graph = legalize(parse(to_flatbuffer(CASES[name](rng, dtype))))
        simple = simplify(graph)
        ops.check(simple)
        assert [op.kind for op in simplify(simple).ops] == [op.kind for op in simple.ops]
        arrays, _ = lower(simple, plan(simple))
        stored = sum(array.values.nbytes for array in arrays)
        assert stored <= ops.constant_bytes(simple)
        if name != "quantization":  # there a table takes the place of two kernels
            assert ops.constant_bytes(simple) <= ops.constant_bytes(graph)


@pytest.mark.parametrize("name", CASES)
def test_shapes_alone_can_be_planned_and_sized(name: str) -> None:
    graph = legalize(parse(to_flatbuffer(CASES[name](np.random.default_rng(4), "int8"))))
    bare = replace(graph, tensors=tuple(replace(t, data=None) for t in graph.tensors))
    assert ops.constant_bytes(bare) == ops.constant_bytes(graph)
    if any(op.kind in ("PAD", "PADV2") for op in graph.ops):  # where it pads is data
        assert plan(bare).arena_bytes >= plan(graph).arena_bytes
    else:
        assert plan(bare) == plan(graph)
    ops.check(simplify(bare))
