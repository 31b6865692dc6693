"""Reading flatbuffers: what was written comes back, and nothing damaged gets through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.emit import emitter as emit
from codegen.frontend.read import parse, read
from codegen.ir import Graph, ModelError, Op, Quantization, Tensor
from codegen.plan import plan, verify
from tests.support.models import to_flatbuffer
from tools.graphs.builder import Builder
from tools.graphs.cases import CASES


def _model() -> Graph:
    """Convolution, depthwise, squeeze, gate and sum."""
    rng = np.random.default_rng(5)
    b = Builder(rng)
    source = b.activation((1, 6, 6, 4))
    options = {"padding": "SAME", "stride_h": 1, "stride_w": 1, "fused_activation": "NONE"}
    options |= {"dilation_h": 1, "dilation_w": 1}
    weights = b.constant(rng.integers(-9, 9, (4, 1, 1, 4)).astype(np.int8), (0.1,) * 4)
    mixed = b.operator("CONV_2D", (source, weights), b.activation((1, 6, 6, 4)), **options)
    taps = b.constant(rng.integers(-9, 9, (1, 3, 3, 4)).astype(np.int8), (0.1,) * 4, 3)
    filtered = b.operator(
        "DEPTHWISE_CONV_2D",
        (mixed, taps),
        b.activation((1, 6, 6, 4)),
        depth_multiplier=1,
        **options,
    )
    axes = b.constant(np.array([1, 2], np.int32))
    gate = b.operator("MEAN", (filtered, axes), b.activation((1, 1, 1, 4)), keep_dims=True)
    gated = b.activation((1, 6, 6, 4))
    b.operator("MUL", (filtered, gate), gated, fused_activation="NONE")
    output = b.activation((1, 6, 6, 4))
    b.operator("ADD", (gated, source), output, fused_activation="RELU")
    return b.graph(source, output)


def _altered(graph: Graph, number: int, **options: Any) -> bytes:
    """The model with some options of one operator changed."""
    ops = list(graph.ops)
    merged = MappingProxyType({**ops[number].options, **options})
    ops[number] = replace(ops[number], options=merged)
    return to_flatbuffer(replace(graph, ops=tuple(ops)))


def _with_tensor(graph: Graph, index: int, **changes: Any) -> bytes:
    """The model with one tensor changed."""
    tensors = list(graph.tensors)
    tensors[index] = replace(tensors[index], **changes)
    return to_flatbuffer(replace(graph, tensors=tuple(tensors)))


def _description(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.name, tensor.shape, tensor.dtype, tensor.quantization, tensor.constant


@pytest.mark.parametrize("name", CASES)
def test_parse_gives_back_what_was_written(name: str) -> None:
    graph = CASES[name](np.random.default_rng(1), "int8")
    again = parse(to_flatbuffer(graph))
    assert again.inputs == graph.inputs
    assert again.outputs == graph.outputs
    assert [(op.kind, op.inputs, op.outputs) for op in again.ops] == [
        (op.kind, op.inputs, op.outputs) for op in graph.ops
    ]
    for op, other in zip(graph.ops, again.ops, strict=True):
        assert dict(op.options).items() <= dict(other.options).items()
    for tensor, other_tensor in zip(graph.tensors, again.tensors, strict=True):
        assert _description(tensor) == _description(other_tensor)
        if tensor.data is not None:
            assert other_tensor.data is not None
            np.testing.assert_array_equal(other_tensor.data, tensor.data)


def test_paths_and_bytes_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(to_flatbuffer(_model()))
    assert [op.kind for op in read(path).ops] == [op.kind for op in read(path.read_bytes()).ops]


def test_every_truncation_is_refused_by_name(tmp_path: Path) -> None:
    whole = to_flatbuffer(_model())
    path = tmp_path / "cut.tflite"
    for length in range(0, len(whole) - 64, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"cut\.tflite: "):
            read(path)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damage_is_refused_or_gives_a_sound_program(data: st.DataObject) -> None:
    damaged = bytearray(to_flatbuffer(_model()))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        graph = read(bytes(damaged))
        layout = plan(graph)
        verify(graph, layout)
        emit.lower(graph, layout)
    except ModelError:
        return


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"", "not a flatbuffer"),
        (b"\x00" * 64, "not a flatbuffer"),
        (b"\x1c\x00\x00\x00TFL3" + b"\xff" * 64, "truncated or corrupt"),
        (_altered(_model(), 0, dilation_h=0), "operator 0 .CONV_2D.: dilation must be"),
        (_altered(_model(), 0, fused_activation="TANH"), "fused activation must be one of NONE"),
        (_altered(_model(), 0, stride_h=0), "strides must be 1 to 32767"),
        (_altered(_model(), 0, stride_h=2), "does not follow from input"),
        (_altered(_model(), 1, padding="VALID"), "operator 1 .DEPTHWISE_CONV_2D.: tensor 't4'"),
        (_with_tensor(_model(), 0, dtype="int16"), "'t0' int16 .*must be int8"),
        (_with_tensor(_model(), 0, shape=(2, 6, 6, 4)), "batch must be 1"),
        (_with_tensor(_model(), 0, shape=(1, 6, 6, -4)), "sides must be positive"),
        (_with_tensor(_model(), 0, shape=(1, 30000, 30000, 4)), "no tensor may exceed"),
        (_with_tensor(_model(), 0, quantization=None), "'t0'.*need a scale"),
        (_with_tensor(_model(), 1, constant=False, data=None), "'t1' before it is written"),
        (
            _with_tensor(_model(), 1, quantization=Quantization((0.1, 0.2), (0, 0))),
            "needs 1 scale, or 4 along axis 0; got 2",
        ),
        (
            _with_tensor(_model(), 1, quantization=Quantization((0.1,), (3,))),
            "zero points of weights must be 0",
        ),
        (
            _with_tensor(_model(), 1, quantization=Quantization((float("nan"),), (0,))),
            "scales or zero points are damaged",
        ),
        (
            _with_tensor(_model(), 5, data=np.array([1, 3], np.int32)),
            "operator 2 .MEAN.: tensor 't5' .*must name the axes before those that are kept",
        ),
        (_with_tensor(_model(), 5, data=np.array([1], np.int32)), "needs 8 bytes of data"),
        (_with_tensor(_model(), 6, shape=(1, 1, 1, 2)), "must be .1, 1, 1, 4. or .1, 4."),
        (_with_tensor(_model(), 7, shape=(1, 6, 6, 5)), "does not broadcast"),
    ],
)
def test_refusals_name_what_is_wrong(model: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read(model)


def test_the_compilers_own_operator_cannot_be_smuggled_in() -> None:
    tensors = (Tensor("x", (1, 8), "int8"), Tensor("y", (1, 8), "int8"))
    graph = Graph(tensors, (Op("LOOKUP", (0,), (1,)),), (0,), (1,))
    with pytest.raises(KeyError):
        to_flatbuffer(graph)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.tflite"):
        read(tmp_path / "none.tflite")
