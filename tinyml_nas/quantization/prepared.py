"""A float flatbuffer between its conversion and its quantization: where quantizers do their work.

The converter folds, fuses and lays out the float network, and leaves each activation a place for its range. What
a quantizer chooses is written into this file in place: ranges, and other weights and biases. Then the converter
rounds it to int8. So every quantizer ends in the same operators and the same rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tensorflow.lite.python.convert import mlir_quantize

from codegen.frontend.read import read_as_written
from codegen.ir import Graph
from codegen.pixels import INPUT_SCALE, INPUT_ZERO_POINT
from tinyml_nas.conversion.backend import tf
from tinyml_nas.conversion.flatbuffer import packed
from tinyml_nas.conversion.native import stderr_held
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.exact import WEIGHT_AXES, Array
from tinyml_nas.quantization.layers import layer_names
from tinyml_nas.quantization.ranges import Range
from tinyml_nas.types import STANDARD, Seen

WEIGHTED = {
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
}


class Prepared:
    """The float network of one flatbuffer; ``graph`` is what it computes.

    Every operator's weights and bias are its own: they can be changed without changing another layer.

    Raises:
        QuantizationError: a weight or bias is not finite; names the layer.
    """

    def __init__(self, content: bytes, seen: Seen = STANDARD) -> None:
        self.seen = seen
        self.content = _with_own_constants(content)
        self.graph: Graph = read_as_written(self.content)
        for op, name in zip(self.graph.ops, layer_names(self.graph), strict=True):
            if op.kind in WEIGHT_AXES:
                for index in op.inputs[1:]:
                    data = self.graph.tensors[index].data
                    if index >= 0 and data is not None and not np.isfinite(data).all():
                        raise QuantizationError(
                            f"layer {name} cannot be quantized: its weights or biases are not finite; "
                            "train it again with a lower learning rate"
                        )

    def constant(self, index: int) -> Array:
        """The weights or biases that tensor ``index`` holds."""
        data = self.graph.tensors[index].data
        assert data is not None
        return data.astype(np.float64)

    def with_constants(self, constants: Mapping[int, Array]) -> Prepared:
        """The same network with other weights and biases, by tensor; they are rounded to float32."""
        content = bytearray(self.content)
        model = schema.Model.GetRootAs(content)
        subgraph = model.Subgraphs(0)
        for index, values in constants.items():
            buffer = model.Buffers(subgraph.Tensors(index).Buffer()).DataAsNumpy()
            buffer.view("<f4")[:] = values.astype("<f4").reshape(-1)
        return Prepared(bytes(content), self.seen)

    def quantized(self, ranges: Mapping[int, Range]) -> bytes:
        """The full-integer flatbuffer, each activation within its range.

        Raises:
            QuantizationError: the input's scale is not 1/128 or its zero point not 0, where images are seen as
                this program trains.
        """
        content = bytearray(self.content)
        subgraph = schema.Model.GetRootAs(content).Subgraphs(0)
        for index, (low, high) in ranges.items():
            place = subgraph.Tensors(index).Quantization()
            place.MinAsNumpy()[:], place.MaxAsNumpy()[:] = low, high
        with stderr_held():
            flatbuffer: bytes = mlir_quantize(
                bytes(content), input_data_type=tf.int8, output_data_type=tf.int8
            )
        quantization = read_as_written(flatbuffer).input.quantization
        assert quantization is not None
        (scale,), (zero_point,) = quantization.scales, quantization.zero_points
        if self.seen == STANDARD and (scale, zero_point) != (INPUT_SCALE, INPUT_ZERO_POINT):
            raise QuantizationError(
                f"input quantized with scale {scale} and zero point {zero_point}, expected "
                f"{INPUT_SCALE} and {INPUT_ZERO_POINT}: calibrate on images normalised by "
                "codegen.pixels, with pixels 0 and 255 among them"
            )
        return flatbuffer


def with_places(content: bytes) -> bytes:
    """A float flatbuffer with a place for the range of each activation, as the converter leaves one."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    graph = model.subgraphs[0]
    made = [index for op in graph.operators for index in op.outputs]
    for index in [*graph.inputs, *made]:
        if graph.tensors[index].type == schema.TensorType.FLOAT32:
            place = np.zeros(1, np.float32)
            graph.tensors[index].quantization = schema.QuantizationParametersT(min=place, max=place)
    return packed(model)


def real_constant(graph: Graph, index: int) -> Array:
    """Constant ``index`` of an int8 graph, as the real numbers that its codes stand for."""
    tensor = graph.tensors[index]
    assert tensor.data is not None
    assert tensor.quantization is not None
    codes = tensor.data.astype(np.float64)
    scales = np.array(tensor.quantization.scales)
    zeros = np.array(tensor.quantization.zero_points)
    if len(scales) > 1:
        shape = np.ones(codes.ndim, np.int64)
        shape[tensor.quantization.axis] = -1
        scales, zeros = scales.reshape(shape), zeros.reshape(shape)
    real: Array = (codes - zeros) * scales
    return real


def _with_own_constants(content: bytes) -> bytes:
    """Give each layer its own copy of a weight or bias that it shares: the converter merges equal ones."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    (graph,) = model.subgraphs
    seen: set[int] = set()
    whole = len(model.buffers)
    for op in graph.operators:
        if model.operatorCodes[op.opcodeIndex].builtinCode not in WEIGHTED:
            continue
        op.inputs = list(op.inputs)
        for place, index in enumerate(op.inputs[1:], 1):
            tensor = graph.tensors[index]
            if index >= 0 and tensor.buffer in seen:
                model.buffers.append(schema.BufferT(data=model.buffers[tensor.buffer].data))
                tensor = copy(tensor)
                tensor.buffer = len(model.buffers) - 1
                graph.tensors.append(tensor)
                op.inputs[place] = len(graph.tensors) - 1
            seen.add(tensor.buffer)
    if len(model.buffers) == whole:
        return content
    return packed(model)
