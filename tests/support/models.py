"""Models for the compiler's tests, written straight into flatbuffers: no converter is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from codegen.frontend.schema import DTYPES, ENUMS, KINDS
from codegen.ir import Graph, Op, Tensor

Options = Mapping[str, int | float | str | bool]
_OPTION_TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "ADD": ("AddOptions", {}),
    "AVERAGE_POOL_2D": ("Pool2DOptions", {"filter_h": "filterHeight", "filter_w": "filterWidth"}),
    "CONCATENATION": ("ConcatenationOptions", {}),
    "CONV_2D": ("Conv2DOptions", {}),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", {}),
    "FULLY_CONNECTED": ("FullyConnectedOptions", {}),
    "GELU": ("GeluOptions", {}),
    "LEAKY_RELU": ("LeakyReluOptions", {}),
    "MAX_POOL_2D": ("Pool2DOptions", {"filter_h": "filterHeight", "filter_w": "filterWidth"}),
    "MEAN": ("ReducerOptions", {}),
    "MUL": ("MulOptions", {}),
    "PACK": ("PackOptions", {}),
    "REDUCE_MAX": ("ReducerOptions", {}),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", {}),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", {}),
    "SOFTMAX": ("SoftmaxOptions", {}),
    "SPLIT": ("SplitOptions", {}),
    "SPLIT_V": ("SplitVOptions", {}),
    "STRIDED_SLICE": ("StridedSliceOptions", {}),
    "SUB": ("SubOptions", {}),
    "TRANSPOSE_CONV": ("TransposeConvOptions", {}),
    "UNPACK": ("UnpackOptions", {}),
}
_FIELDS = {
    "padding": "padding",
    "stride_h": "strideH",
    "stride_w": "strideW",
    "fused_activation": "fusedActivationFunction",
    "dilation_h": "dilationHFactor",
    "dilation_w": "dilationWFactor",
    "depth_multiplier": "depthMultiplier",
    "keep_dims": "keepDims",
    "weights_format": "weightsFormat",
    "align_corners": "alignCorners",
    "half_pixel_centers": "halfPixelCenters",
    "axis": "axis",
    "beta": "beta",
    "alpha": "alpha",
    "approximate": "approximate",
    "begin_mask": "beginMask",
    "end_mask": "endMask",
    "ellipsis_mask": "ellipsisMask",
    "new_axis_mask": "newAxisMask",
    "shrink_axis_mask": "shrinkAxisMask",
    "offset": "offset",
    "num": "num",
    "num_splits": "numSplits",
    "values_count": "valuesCount",
}


def to_flatbuffer(graph: Graph) -> bytes:
    """The graph as a ``.tflite`` file."""
    model = schema.ModelT()
    model.version = 3
    kinds = sorted({op.kind for op in graph.ops})
    model.operatorCodes = [_operator_code(kind) for kind in kinds]
    model.buffers = [schema.BufferT()]
    subgraph = schema.SubGraphT()
    subgraph.tensors = [_tensor(tensor, model.buffers) for tensor in graph.tensors]
    subgraph.operators = [_operator(op, kinds) for op in graph.ops]
    subgraph.inputs, subgraph.outputs = list(graph.inputs), list(graph.outputs)
    model.subgraphs = [subgraph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def with_entry(model: bytes, name: str, content: bytes) -> bytes:
    """The model with an entry of metadata."""
    table = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model))
    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer = name.encode(), len(table.buffers)
    buffer.data = np.frombuffer(content, np.uint8)
    table.buffers.append(buffer)
    table.metadata = [entry]
    builder = flatbuffers.Builder(1024)
    builder.Finish(table.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _operator_code(kind: str) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = {name: number for number, name in KINDS.items()}[kind]
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = 1
    return code


def _tensor(tensor: Tensor, buffers: list[Any]) -> Any:
    table = schema.TensorT()
    table.shape, table.name = list(tensor.shape), tensor.name.encode()
    if tensor.open_axes:
        sides = enumerate(tensor.shape)
        table.shapeSignature = [-1 if axis in tensor.open_axes else side for axis, side in sides]
    table.type = {name: number for number, name in DTYPES.items()}[tensor.dtype]
    table.buffer = 0
    if tensor.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(tensor.data.tobytes(), np.uint8)
        table.buffer = len(buffers)
        buffers.append(buffer)
    if tensor.quantization is not None:
        table.quantization = schema.QuantizationParametersT()
        table.quantization.scale = list(tensor.quantization.scales)
        table.quantization.zeroPoint = list(tensor.quantization.zero_points)
        table.quantization.quantizedDimension = tensor.quantization.axis
    return table


def _operator(op: Op, kinds: list[str]) -> Any:
    table = schema.OperatorT()
    table.opcodeIndex = kinds.index(op.kind)
    table.inputs, table.outputs = list(op.inputs), list(op.outputs)
    if op.kind == "SQUEEZE":  # the one axis that EXPAND_DIMS puts behind the batch
        table.builtinOptions = schema.SqueezeOptionsT()
        table.builtinOptions.squeezeDims = [1]
        table.builtinOptionsType = schema.BuiltinOptions.SqueezeOptions
    if op.kind in _OPTION_TABLES:
        name, fields = _OPTION_TABLES[op.kind]
        options = getattr(schema, f"{name}T")()
        for option, value in op.options.items():
            number = ENUMS[option].index(str(value)) if option in ENUMS else value
            setattr(options, fields.get(option) or _FIELDS[option], number)
        table.builtinOptions = options
        table.builtinOptionsType = getattr(schema.BuiltinOptions, name)
    return table


def random_inputs(graph: Graph, count: int, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Inputs that hold every int8 code, or reals around zero."""
    shape = (count, *graph.input.shape[1:])
    if graph.input.dtype == "float32":
        return rng.normal(0, 2, shape).astype(np.float32)
    return rng.integers(-128, 128, shape).astype(np.int8)
