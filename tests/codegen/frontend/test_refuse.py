"""What is refused is refused by its cause, all of it at once, and with a way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flatbuffers
import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from codegen.frontend.read import open_model, read, read_as_written
from codegen.ir import Graph, ModelError, Op, Tensor
from tests.support.models import to_flatbuffer
from tools.graphs.builder import Builder

SHAPE = (1, 8, 8, 4)


def chain(*kinds: str, dtype: str = "int8") -> Graph:
    """Operators of one operand, one after the other; tensors are t0, t1, ..."""
    b = Builder(np.random.default_rng(0), dtype)
    source = output = b.activation(SHAPE, 0.05, 0)
    for kind in kinds:
        output = b.operator(kind, (output,), b.activation(SHAPE, 0.05, 0))
    return b.graph(source, output)


def altered(graph: Graph, change: Callable[[Any], None]) -> bytes:
    """The file, with ``change`` applied to its first subgraph."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(to_flatbuffer(graph), 0))
    change(model.subgraphs[0])
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def opened(axes: tuple[int, ...], shape: tuple[int, ...] = SHAPE) -> bytes:
    """A model whose input leaves ``axes`` open, as converters write it."""
    graph = chain("RELU6")
    tensors = tuple(replace(tensor, shape=shape) for tensor in graph.tensors)

    def change(subgraph: Any) -> None:
        sides = [-1 if axis in axes else side for axis, side in enumerate(shape)]
        subgraph.tensors[0].shapeSignature = sides

    return altered(replace(graph, tensors=tensors), change)


def test_every_unsupported_operator_is_named_with_its_count() -> None:
    graph = chain("RELU", "EXP", "SQRT", "EXP", "UNIDIRECTIONAL_SEQUENCE_LSTM", "SQRT", "EXP")
    with pytest.raises(ModelError) as caught:
        read_as_written(to_flatbuffer(graph))
    message = str(caught.value)
    assert (
        "6 operators are not supported: EXP (3), SQRT (2), UNIDIRECTIONAL_SEQUENCE_LSTM (1)"
        in message
    )
    assert "keeps state between inputs" in message
    assert "--cut 't1' ends the network before" in message
    assert "docs/operators.md" in message


def test_a_cut_before_them_takes_the_rest() -> None:
    graph = open_model(to_flatbuffer(chain("RELU", "EXP", "SQRT")), "t1")
    assert [op.kind for op in graph.ops] == ["RELU"]


def test_state_that_is_read_before_it_is_written_is_called_by_its_operator() -> None:
    graph = chain("RELU", "UNIDIRECTIONAL_SEQUENCE_LSTM")
    state = Tensor("state", (1, 4), "float32")
    lstm = graph.ops[1]
    ops = (graph.ops[0], replace(lstm, inputs=(*lstm.inputs, len(graph.tensors))))
    model = to_flatbuffer(replace(graph, tensors=(*graph.tensors, state), ops=ops))
    with pytest.raises(ModelError, match=r"not supported: UNIDIRECTIONAL_SEQUENCE_LSTM .1.\. What"):
        open_model(model)


def test_operators_of_tensorflow_are_called_so() -> None:
    graph = chain("RELU", "CUSTOM")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(to_flatbuffer(graph), 0))
    (code,) = (code for code in model.operatorCodes if code.builtinCode == 32)
    code.customCode = b"FlexErf"
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    with pytest.raises(ModelError, match=r"custom operator 'FlexErf' .1.\. Flex operators are"):
        read_as_written(bytes(builder.Output()))


@pytest.mark.parametrize(
    ("axes", "shape", "name"),
    [
        ((0, 1, 2), SHAPE, "height and width open"),
        ((2,), SHAPE, "its width open"),
        ((0, 1), (1, 20, 6), "its length in time open"),
        ((1,), (1, 9), "its number of features open"),
    ],
)
def test_an_open_axis_is_refused_by_its_name(axes: Any, shape: Any, name: str) -> None:
    with pytest.raises(ModelError, match=rf"{name} .*keras\.Input"):
        open_model(opened(axes, shape))


def test_an_open_batch_is_one() -> None:
    assert open_model(opened((0,))).input.shape == SHAPE


def several_ends(inputs: int, outputs: int) -> bytes:
    graph = chain("RELU", "RELU", "RELU")

    def change(subgraph: Any) -> None:
        subgraph.inputs, subgraph.outputs = list(range(inputs)), list(range(4 - outputs, 4))

    return altered(graph, change)


def test_several_inputs_and_outputs_are_named_with_the_way_out() -> None:
    with pytest.raises(ModelError, match=r"needs one input; it has 2: 't0', 't1'\. Concatenate"):
        open_model(several_ends(2, 1))
    with pytest.raises(ModelError, match=r"it has 2: 't2' .number 2.*'t3'.*--output NAME"):
        open_model(several_ends(1, 2))
    assert len(open_model(several_ends(1, 2), "t2").ops) == 2


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        ("int16", r"activations are int16 .2 tensors.*TFLITE_BUILTINS_INT8"),
        ("uint8", r"activations are uint8 .2 tensors.*TensorFlow 1"),
    ],
)
def test_other_ways_to_quantize_are_called_by_their_name(dtype: Any, message: str) -> None:
    graph = chain("RELU", "HARD_SWISH")
    tensors = tuple(replace(tensor, dtype=dtype) for tensor in graph.tensors)
    with pytest.raises(ModelError, match=message):
        read_as_written(to_flatbuffer(replace(graph, tensors=tensors)))


def test_weights_alone_in_codes_are_dynamic_range_quantization() -> None:
    b = Builder(np.random.default_rng(0), "float32")
    source, output = b.activation((1, 4)), b.activation((1, 2))
    weights = b.constant(np.ones((2, 4), np.int8), (0.1,))
    b.operator("FULLY_CONNECTED", (source, weights), output, fused_activation="NONE")
    with pytest.raises(ModelError, match=r"dynamic-range quantization: give .*representative"):
        read_as_written(to_flatbuffer(b.graph(source, output)))


def test_a_type_that_is_not_supported_is_named() -> None:
    def change(subgraph: Any) -> None:
        subgraph.tensors[1].type = 13

    with pytest.raises(ModelError, match=r"'t1': type resource is not supported: it keeps state"):
        open_model(altered(chain("RELU"), change))


def test_a_network_of_nothing_is_refused() -> None:
    graph = Graph(chain("RELU").tensors, (Op("RELU", (0,), (1,)),), (0,), (0,))
    with pytest.raises(ModelError, match="no network between them"):
        open_model(to_flatbuffer(graph))


@pytest.mark.parametrize("groups", [2, 4])
def test_a_convolution_in_groups_is_called_so_with_the_way_out(groups: int) -> None:
    b = Builder(np.random.default_rng(0), "int8")
    source, output = b.activation(SHAPE, 0.05, 0), b.activation((1, 8, 8, 8), 0.05, 0)
    weights = b.constant(np.ones((8, 3, 3, SHAPE[3] // groups), np.int8), (0.1,) * 8)
    options = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
    b.operator("CONV_2D", (source, weights), output, **options)
    wanted = (
        rf"see {4 // groups} of 4 channels each: a convolution in {groups} groups.*DepthwiseConv2D"
    )
    with pytest.raises(ModelError, match=wanted):
        read(to_flatbuffer(b.graph(source, output)))


def test_weights_of_no_number_of_groups_are_a_matter_of_shapes() -> None:
    b = Builder(np.random.default_rng(0), "int8")
    source, output = b.activation(SHAPE, 0.05, 0), b.activation((1, 8, 8, 8), 0.05, 0)
    weights = b.constant(np.ones((8, 3, 3, 3), np.int8), (0.1,) * 8)
    b.operator("CONV_2D", (source, weights), output, padding="SAME", stride_h=1, stride_w=1)
    with pytest.raises(ModelError, match=r"weights must be \(8, 3, 3, 4\)"):
        read(to_flatbuffer(b.graph(source, output)))
