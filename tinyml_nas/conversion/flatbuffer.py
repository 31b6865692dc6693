"""Keras to float flatbuffers, and flatbuffers taken apart: an extractor of its own, and the head.

Where a network is cut is the compiler's decision (``codegen.frontend.cut``); here the file is cut there.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from codegen.frontend.cut import Split, split
from codegen.frontend.read import naming, open_model
from codegen.project import HeadWeights
from tinyml_nas.conversion.backend import keras, tf
from tinyml_nas.conversion.equivalence import ConversionError
from tinyml_nas.conversion.native import stderr_held

IDENTIFIER = b"TFL3"

Head = dict[str, npt.NDArray[np.float32]]


def converter_of(model: keras.Model) -> Any:
    """TensorFlow's converter of a model, for a batch of one: no SHAPE, STRIDED_SLICE and PACK."""
    batch_of_one = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    call = tf.function(lambda image: model(image, training=False))
    function = call.get_concrete_function(batch_of_one)
    return tf.lite.TFLiteConverter.from_concrete_functions(
        [convert_variables_to_constants_v2(function)]
    )


def converted(converter: Any) -> bytes:
    """What a converter makes, without what it says."""
    with stderr_held(), warnings.catch_warnings():
        # It asks for the input's statistics before it calibrates them.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs")
        flatbuffer: bytes = converter.convert()
    return flatbuffer


def taken_apart(model: bytes) -> tuple[bytes, Head]:
    """The flatbuffer up to the features, and the head behind them.

    Raises:
        ModelError: the compiler does not take it.
        ConversionError: its features are no tensor of the file.
    """
    graph = open_model(model)
    with naming(model):
        parts = split(graph)
    return _cut(model, parts), head_of(parts.head)


def head_of(weights: HeadWeights) -> Head:
    """As ``head.safetensors`` has it."""
    return {"weights": weights.weights, "bias": weights.bias}


def packed(model: schema.ModelT) -> bytes:
    """The file of a model."""
    builder = Builder(1 << 20)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _cut(content: bytes, parts: Split) -> bytes:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    graph, end = model.subgraphs[0], parts.source
    shape = [] if end < 0 else list(graph.tensors[end].shape)
    features = parts.extractor.output.elements
    if not shape or shape[-1] != features:
        raise ConversionError(
            f"network: its last layer reads {'an average' if not shape else f'a map {tuple(shape)}'}, and not a vector; put a "
            "global average pool and a dense layer at its end"
        )
    _from_codes(graph, parts.extractor.input.dtype)
    wanted, needed = {end}, list[schema.OperatorT]()
    for op in reversed(graph.operators):
        if wanted & set(op.outputs):
            needed.insert(0, op)
            wanted |= set(op.inputs)
    graph.operators = needed
    graph.outputs = np.array([end], np.int32)
    model.signatureDefs = None  # they name the outputs that it had
    return packed(model)


def _from_codes(graph: schema.SubGraphT, dtype: str) -> None:
    """Begin with codes, where the file makes codes of reals or bytes first."""
    (image,) = graph.inputs
    int8 = schema.TensorType.INT8
    if dtype == "int8" and graph.tensors[image].type != int8:
        (first,) = (op for op in graph.operators if image in op.inputs)
        graph.operators.remove(first)
        graph.inputs = np.array(first.outputs, np.int32)
