"""From a file's operators to the compiler's: what was folded or renamed computes the same bytes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.frontend.read import open_model, read
from codegen.ir import Graph, ModelError, Quantization, Tensor
from codegen.passes.legalize import legalize
from tests.support.extractors import compile_extractors, oracle
from tests.support.models import random_inputs, to_flatbuffer
from tools.graphs.builder import Builder

ARITHMETIC = {
    "ADD": np.add,
    "SUB": np.subtract,
    "MUL": np.multiply,
    "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
}


def vector(b: Builder, *values: int) -> int:
    return b.constant(np.array(values, np.int32))


def integers(b: Builder, *shape: int) -> int:
    return b.activation(shape, dtype="int32")


def flatten(dtype: str) -> Graph:
    """Keras 3's Flatten of an open batch, then a dense layer."""
    b = Builder(np.random.default_rng(0), dtype)
    source = b.activation((1, 3, 4, 5), 0.05, 3)
    x = b.operator("HARD_SWISH", (source,), b.activation((1, 3, 4, 5), 0.04, 3))
    sides = b.operator("SHAPE", (x,), integers(b, 4))
    bounds = vector(b, 0), vector(b, 1), vector(b, 1)
    batch = b.operator("STRIDED_SLICE", (sides, *bounds), integers(b), shrink_axis_mask=1)
    sixty = b.constant(np.asarray(60, np.int32))
    shape = b.operator("PACK", (batch, sixty), integers(b, 2), axis=0, values_count=2)
    x = b.operator("RESHAPE", (x, shape), b.activation((1, 60), 0.04, 3))
    codes = b.rng.integers(-127, 128, (4, 60))
    weights = (
        b.constant(codes.astype(np.int8), (0.01,))
        if dtype == "int8"
        else b.constant((codes / 99).astype(np.float32))
    )
    output = b.activation((1, 4), 0.2)
    b.operator("FULLY_CONNECTED", (x, weights), output, fused_activation="NONE")
    return b.graph(source, output)


def bytes_at_both_ends(scale: float, zero: int) -> Graph:
    """A uint8 input of another scale than the codes inside, and a uint8 output."""
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 1, 256, 1), scale, 0)
    b.tensors[source] = replace(
        b.tensors[source],
        dtype="uint8",
        quantization=Quantization((float(np.float32(scale)),), (zero,)),
    )
    x = b.operator("QUANTIZE", (source,), b.activation((1, 1, 256, 1), 0.05, -3))
    x = b.operator("HARD_SWISH", (x,), b.activation((1, 1, 256, 1), 0.04, 7))
    output = b.activation((1, 1, 256, 1), 0.04, 7)
    b.tensors[output] = replace(
        b.tensors[output],
        dtype="uint8",
        quantization=Quantization((float(np.float32(0.04)),), (7 + 128,)),
    )
    b.operator("QUANTIZE", (x,), output)
    return b.graph(source, output)


def test_an_open_batchs_flatten_is_one_reshape(tmp_path) -> None:
    models = [to_flatbuffer(flatten(dtype)) for dtype in ("int8", "float32")]
    graphs = [read(model) for model in models]
    assert [op.kind for op in graphs[0].ops] == ["LOOKUP", "RESHAPE", "FULLY_CONNECTED"]
    rng = np.random.default_rng(1)
    for model, graph, extract in zip(
        models, graphs, compile_extractors(graphs, tmp_path), strict=True
    ):
        inputs = random_inputs(graph, 4, rng)
        np.testing.assert_allclose(extract(inputs), oracle(model, inputs), rtol=1e-5, atol=1e-5)


def test_bytes_at_the_ends_are_codes_less_128(tmp_path) -> None:
    models = [
        to_flatbuffer(bytes_at_both_ends(*pair)) for pair in ((0.05, 125), (0.043, 0), (0.08, 90))
    ]
    graphs = [read(model) for model in models]
    assert graphs[0].input.dtype == graphs[0].output.dtype == "int8"
    assert graphs[0].input.quantization == Quantization((float(np.float32(0.05)),), (-3,))
    assert [op.kind for op in graphs[0].ops] == ["LOOKUP"]
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 1, 256, 1)
    codes = (pixels.astype(np.int16) - 128).astype(np.int8)
    for model, extract in zip(models, compile_extractors(graphs, tmp_path), strict=True):
        expected = oracle(model, pixels).astype(np.int16) - 128
        assert len(np.unique(expected)) > 32
        np.testing.assert_array_equal(extract(codes), expected)


def test_halves_are_reals() -> None:
    b = Builder(np.random.default_rng(0), "float32")
    source, output = b.activation((1, 4)), b.activation((1, 2))
    halves = b.constant(b.rng.normal(0, 1, (2, 4)).astype(np.float16))
    weights = b.operator("DEQUANTIZE", (halves,), b.activation((2, 4)))
    b.operator("FULLY_CONNECTED", (source, weights), output, fused_activation="NONE")
    (op,) = open_model(to_flatbuffer(b.graph(source, output))).ops
    folded = legalize(b.graph(source, output)).tensors[op.inputs[1]]
    np.testing.assert_array_equal(folded.data, b.tensors[halves].data.astype(np.float32))


def rows(open_sides: tuple[int, ...] = (0, 1)) -> Graph:
    """A dense layer over the last of three axes, of an open batch: the number of rows is not known."""
    b = Builder(np.random.default_rng(0), "float32")
    source = b.activation((1, 3, 4))
    flat = b.activation((1, 1))
    dense, activated = b.activation((1, 5)), b.activation((1, 5))
    for index, axes in ((source, (0,)), (flat, open_sides), (dense, (0,)), (activated, (0,))):
        b.tensors[index] = replace(b.tensors[index], open_axes=axes)
    b.operator("RESHAPE", (source, vector(b, -1, 4)), flat)
    weights = b.constant(b.rng.normal(0, 1, (5, 4)).astype(np.float32))
    bias = b.constant(b.rng.normal(0, 1, 5).astype(np.float32))
    b.operator("FULLY_CONNECTED", (flat, weights, bias), dense, fused_activation="NONE")
    b.operator("LOGISTIC", (dense,), activated)
    output = b.activation((1, 3, 5))
    b.tensors[output] = replace(b.tensors[output], open_axes=(0,))
    b.operator("RESHAPE", (activated, vector(b, 1, 3, 5)), output)
    return b.graph(source, output)


def test_a_number_of_rows_that_was_open_follows_from_the_shapes(tmp_path) -> None:
    model = to_flatbuffer(rows())
    graph = read(model)
    assert [graph.tensors[op.outputs[0]].shape for op in graph.ops[:3]] == [(3, 4), (3, 5), (3, 5)]
    (extract,) = compile_extractors([graph], tmp_path)
    inputs = random_inputs(graph, 4, np.random.default_rng(1))
    dense = inputs @ graph.tensors[graph.ops[1].inputs[1]].data.T
    dense = dense + graph.tensors[graph.ops[1].inputs[2]].data
    np.testing.assert_allclose(extract(inputs), 1 / (1 + np.exp(-dense)), rtol=1e-5, atol=1e-6)


def test_a_closed_shape_is_not_changed() -> None:
    """What a file says for certain and what does not follow from it is a fault, and is refused."""
    with pytest.raises(ModelError, match="does not hold"):
        read(to_flatbuffer(rows(())))


def folded(b: Builder, index: int, source: int) -> np.ndarray:
    """What a RESHAPE by ``index`` is told."""
    shape = b.tensors[source].shape
    output = b.operator("RESHAPE", (source, index), b.activation(shape, 0.05, 0))
    graph = legalize(b.graph(source, output))
    assert [op.kind for op in graph.ops] == ["RESHAPE"]
    data = graph.tensors[graph.ops[0].inputs[-1]].data
    assert data is not None
    return data


@settings(max_examples=60, deadline=None)
@given(
    sides=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_arithmetic_with_shapes_is_numpys(sides: list[int], seed: int, data: st.DataObject) -> None:
    b = Builder(np.random.default_rng(seed))
    source = b.activation((1, *sides), 0.05, 0)
    known = np.array((1, *sides), np.int32)
    value = b.operator("SHAPE", (source,), integers(b, len(known)))
    kinds = [*ARITHMETIC, "GATHER", "CONCATENATION", "REDUCE_PROD", "STRIDED_SLICE", "CAST"]
    kinds.append("EXPAND_DIMS")
    for kind in data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4)):
        other = data.draw(st.lists(st.integers(-9, 9), min_size=len(known), max_size=len(known)))
        operand = np.array(other, np.int32)
        options = {}
        if kind in ARITHMETIC:
            known = ARITHMETIC[kind](known, operand)
            inputs = (value, b.constant(operand))
        elif kind == "GATHER":
            at = np.abs(operand) % len(known)
            known, inputs, options = known[at], (value, b.constant(at)), {"axis": 0}
            options["batch_dims"] = 0
        elif kind == "CONCATENATION":
            known, options = np.concatenate([known, operand]), {"axis": 0}
            inputs = (value, b.constant(operand))
        elif kind == "REDUCE_PROD":
            known, options = np.prod(known, keepdims=True), {"keep_dims": True}
            inputs = (value, vector(b, 0))
        elif kind == "STRIDED_SLICE":
            step = data.draw(st.sampled_from([1, 2, -1]))
            known = known[::step]
            inputs = (value, vector(b, 0), vector(b, 0), vector(b, step))
            options = {"begin_mask": 1, "end_mask": 1}
        elif kind == "CAST":
            inputs = (value,)
        else:
            known, inputs = known[np.newaxis], (value, vector(b, 0))
        known = known.astype(np.int32)
        value = b.operator(kind, inputs, integers(b, *known.shape), **options)
        if kind == "EXPAND_DIMS":
            break  # the others are of vectors
    np.testing.assert_array_equal(folded(b, value, source), known)


@pytest.mark.parametrize("axis", [5, -6])
def test_what_is_not_sound_is_left_to_be_refused(axis: int) -> None:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 4), 0.05, 0)
    shape = b.operator("SHAPE", (source,), integers(b, 2))
    packed = b.operator("PACK", (shape, shape), integers(b, 2, 2), axis=axis, values_count=2)
    output = b.operator("RESHAPE", (source, packed), b.activation((1, 4), 0.05, 0))
    assert [op.kind for op in legalize(b.graph(source, output)).ops] == ["PACK", "RESHAPE"]


def test_constants_that_would_be_large_are_not_made() -> None:
    """Broadcasting two long vectors asks for their product."""
    tensors = (
        Tensor("image", (1, 4), "int8", Quantization((0.1,), (0,))),
        Tensor("row", (1, 3000), "int32", constant=True, data=np.ones((1, 3000), np.int32)),
        Tensor("column", (3000, 1), "int32", constant=True, data=np.ones((3000, 1), np.int32)),
        Tensor("square", (3000, 3000), "int32"),
        Tensor("same", (1, 4), "int8", Quantization((0.1,), (0,))),
    )
    b = Builder(np.random.default_rng(0))
    b.tensors = list(tensors)
    b.operator("ADD", (1, 2), 3, fused_activation="NONE")
    b.operator("RESHAPE", (0, 3), 4)
    assert [op.kind for op in legalize(b.graph(0, 4)).ops] == ["ADD", "RESHAPE"]
