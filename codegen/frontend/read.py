"""A ``.tflite`` file to the compiler's graph.

``parse`` gives what the file says; ``read_as_written`` also checks that the compiler can take it,
and ``read`` simplifies it, without changing a byte of its outputs. Slots and numbers below are those of
TensorFlow Lite's ``schema.fbs``, version 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from codegen import ops
from codegen.frontend.flatbuffer import Table
from codegen.ir import DType, Graph, ModelError, Op, Quantization, Tensor
from codegen.passes.simplify import simplify

__all__ = ["ModelError", "parse", "read", "read_as_written"]

IDENTIFIER, VERSION = b"TFL3", 3
# Far beyond any microcontroller, and little for a computer: a damaged file asks for more.
LARGEST_TENSOR_BYTES = 1 << 24
LARGEST_ACTIVATIONS_BYTES = 1 << 26  # of all tensors that are not constant
LARGEST_FILE_BYTES = 1 << 28
MOST_OPERATORS = 1 << 9
MOST_TABLES = 1 << 14  # tensors, buffers
MOST_AXES = 8
MOST_OPERANDS = 64
MOST_SCALES = 1 << 15
LONGEST_NAME_BYTES = 200  # longer ones are cut

DTYPES: Mapping[int, DType] = MappingProxyType({0: "float32", 2: "int32", 7: "int16", 9: "int8"})

KINDS: Mapping[int, str] = MappingProxyType(
    {
        0: "ADD",
        1: "AVERAGE_POOL_2D",
        2: "CONCATENATION",
        3: "CONV_2D",
        4: "DEPTHWISE_CONV_2D",
        6: "DEQUANTIZE",
        9: "FULLY_CONNECTED",
        14: "LOGISTIC",
        17: "MAX_POOL_2D",
        18: "MUL",
        19: "RELU",
        21: "RELU6",
        22: "RESHAPE",
        23: "RESIZE_BILINEAR",
        25: "SOFTMAX",
        34: "PAD",
        40: "MEAN",
        41: "SUB",
        60: "PADV2",
        97: "RESIZE_NEAREST_NEIGHBOR",
        114: "QUANTIZE",
        117: "HARD_SWISH",
    }
)

ENUMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "padding": ("SAME", "VALID"),
        "fused_activation": ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"),
        "weights_format": ("DEFAULT", "SHUFFLED4X16INT8"),
    }
)

# Option name, struct code and default, in the order of the options table's slots.
_CONV = (
    ("padding", "b", 0),
    ("stride_w", "i", 0),
    ("stride_h", "i", 0),
    ("fused_activation", "b", 0),
    ("dilation_w", "i", 1),
    ("dilation_h", "i", 1),
)
_POOL = (
    ("padding", "b", 0),
    ("stride_w", "i", 0),
    ("stride_h", "i", 0),
    ("filter_w", "i", 0),
    ("filter_h", "i", 0),
    ("fused_activation", "b", 0),
)
_ALIGN = (("align_corners", "B", 0), ("half_pixel_centers", "B", 0))
OPTIONS: Mapping[str, tuple[tuple[str, str, int | float], ...]] = MappingProxyType(
    {
        "ADD": (("fused_activation", "b", 0),),
        "AVERAGE_POOL_2D": _POOL,
        "CONCATENATION": (("axis", "i", 0), ("fused_activation", "b", 0)),
        "CONV_2D": _CONV,
        "DEPTHWISE_CONV_2D": (*_CONV[:3], ("depth_multiplier", "i", 0), *_CONV[3:]),
        "FULLY_CONNECTED": (("fused_activation", "b", 0), ("weights_format", "b", 0)),
        "MAX_POOL_2D": _POOL,
        "MEAN": (("keep_dims", "B", 0),),
        "MUL": (("fused_activation", "b", 0),),
        # The first two slots once held the size, which is an input now.
        "RESIZE_BILINEAR": (("old_height", "i", 0), ("old_width", "i", 0), *_ALIGN),
        "RESIZE_NEAREST_NEIGHBOR": _ALIGN,
        "SOFTMAX": (("beta", "f", 0.0),),
        "SUB": (("fused_activation", "b", 0),),
    }
)


def read(model: Path | str | bytes) -> Graph:
    """Read, check and simplify a model with one subgraph, one input and one output.

    Args:
        model: path of a ``.tflite`` file, or its bytes.

    Raises:
        ModelError: names the file, and the operator and tensor where there is one.
    """
    return simplify(read_as_written(model))


def read_as_written(model: Path | str | bytes) -> Graph:
    """Read and check a model, every operator as the file has it; arguments and errors as ``read``'s."""
    try:
        graph = parse(model if isinstance(model, bytes) else _content(Path(model)))
        ops.check(graph)
    except ModelError as error:
        name = "the model given as bytes" if isinstance(model, bytes) else str(model)
        raise ModelError(f"{name}: {error}") from error
    return graph


def _content(path: Path) -> bytes:
    size = path.stat().st_size
    if size > LARGEST_FILE_BYTES:
        raise ModelError(f"a file of {size} bytes; at most {LARGEST_FILE_BYTES} are taken")
    return path.read_bytes()


def parse(model: bytes) -> Graph:
    """The graph as the file has it.

    Raises:
        ModelError: for a file that is not a whole and sound flatbuffer of one subgraph.
    """
    root = Table.root(model, IDENTIFIER)
    version = root.integer(0, "I")
    if version != VERSION:
        raise ModelError(f"schema version must be {VERSION}; got {version}")
    kinds = [_kind(code) for code in root.tables(1, MOST_OPERATORS)]
    subgraphs = root.tables(2, MOST_TABLES)
    if len(subgraphs) != 1:
        raise ModelError(f"needs one subgraph; got {len(subgraphs)}")
    (subgraph,) = subgraphs
    buffers = root.tables(4, MOST_TABLES)
    tensors = tuple(_tensor(table, buffers) for table in subgraph.tables(0, MOST_TABLES))
    graph = Graph(
        tensors=tensors,
        ops=tuple(_op(table, kinds) for table in subgraph.tables(3, MOST_OPERATORS)),
        inputs=_indices(subgraph, 1, MOST_OPERANDS),
        outputs=_indices(subgraph, 2, MOST_OPERANDS),
    )
    _check_wiring(graph)
    activations = sum(tensor.size_bytes for tensor in tensors if not tensor.constant)
    if activations > LARGEST_ACTIVATIONS_BYTES:
        raise ModelError(
            f"its activations take {activations} bytes; at most {LARGEST_ACTIVATIONS_BYTES} are taken"
        )
    return graph


def _kind(code: Table) -> str:
    number = max(code.integer(0, "b"), code.integer(3, "i"))
    if custom := code.text(1, LONGEST_NAME_BYTES):
        return f"custom operator {custom!r}"
    return KINDS.get(number, f"builtin operator {number}")


def _tensor(table: Table, buffers: list[Table]) -> Tensor:
    name = table.text(3, LONGEST_NAME_BYTES)
    shape = _indices(table, 0, MOST_AXES)
    number = table.integer(1, "b")
    if number not in DTYPES:
        raise ModelError(
            f"tensor {name!r}: type number {number} is not supported; "
            f"supported are {', '.join(DTYPES.values())}"
        )
    if min(shape, default=1) < 1 or table.integer(10, "I"):
        raise ModelError(
            f"tensor {name!r} {shape}: sides must be positive and data inside the file's buffers"
        )
    tensor = Tensor(name, shape, DTYPES[number], _quantization(table.table(4), name))
    if tensor.size_bytes > LARGEST_TENSOR_BYTES:
        raise ModelError(
            f"tensor {name!r} {shape}: no tensor may exceed {LARGEST_TENSOR_BYTES} bytes"
        )
    data = _data(table, buffers, tensor)
    if data is None:
        return tensor
    return Tensor(name, shape, tensor.dtype, tensor.quantization, constant=True, data=data)


def _quantization(table: Table | None, name: str) -> Quantization | None:
    if table is None:
        return None
    scales = table.array(2, "<f4", MOST_SCALES).tolist()
    zero_points = table.array(3, "<i8", MOST_SCALES).tolist()
    if not scales:
        return None
    if len(zero_points) == 1:
        zero_points *= len(scales)
    sound = len(zero_points) == len(scales) and all(np.isfinite(scales))
    if not sound or any(not -(2**31) <= zero < 2**31 for zero in zero_points):
        raise ModelError(f"tensor {name!r}: its scales or zero points are damaged")
    return Quantization(tuple(scales), tuple(zero_points), table.integer(6, "i"))


def _data(table: Table, buffers: list[Table], tensor: Tensor) -> npt.NDArray[np.generic] | None:
    index = table.integer(2, "I")
    if index >= len(buffers):
        raise ModelError(f"tensor {tensor.name!r}: buffer {index} of {len(buffers)} is missing")
    if buffers[index].integer(1, "Q") > 1:
        raise ModelError(f"tensor {tensor.name!r}: its data must be inside the file's buffers")
    raw = buffers[index].array(0, "u1")
    if index == 0 or not raw.size:
        return None
    if raw.size != tensor.size_bytes:
        raise ModelError(
            f"tensor {tensor.name!r} {tensor.dtype} {tensor.shape}: needs {tensor.size_bytes} "
            f"bytes of data; the file has {raw.size}"
        )
    dtype = np.dtype(tensor.dtype).newbyteorder("<")
    return raw.view(dtype).reshape(tensor.shape).astype(tensor.dtype, copy=False)


def _op(table: Table, kinds: list[str]) -> Op:
    index = table.integer(0, "I")
    if index >= len(kinds):
        raise ModelError(f"operator code {index} of {len(kinds)} is missing")
    kind = kinds[index]
    options: dict[str, int | float | str | bool] = {}
    values = table.table(4)
    for slot, (name, code, default) in enumerate(OPTIONS.get(kind, ())):
        if code == "f":
            options[name] = float(default) if values is None else values.real(slot, default)
            continue
        value = int(default) if values is None else values.integer(slot, code, int(default))
        names = ENUMS.get(name)
        if names is None:
            options[name] = bool(value) if code == "B" else value
        elif 0 <= value < len(names):
            options[name] = names[value]
        else:
            raise ModelError(f"{kind}: option {name} has the unknown value {value}")
    return Op(
        kind,
        _indices(table, 1, MOST_OPERANDS),
        _indices(table, 2, MOST_OPERANDS),
        MappingProxyType(options),
    )


def _indices(table: Table, slot: int, most: int) -> tuple[int, ...]:
    return tuple(table.array(slot, "<i4", most).tolist())


def _check_wiring(graph: Graph) -> None:
    """Every index exists, every activation is written once, and before it is read."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ModelError(
            f"needs one input and one output; got {len(graph.inputs)} and {len(graph.outputs)}"
        )
    count = len(graph.tensors)
    mentioned = [*graph.inputs, *graph.outputs]
    for op in graph.ops:
        mentioned += [*op.outputs, *(i for i in op.inputs if i != -1)]
    for index in mentioned:
        if not 0 <= index < count:
            raise ModelError(f"tensor {index} of {count} is missing")
    known = {i for i, tensor in enumerate(graph.tensors) if tensor.constant} | set(graph.inputs)
    for number, op in enumerate(graph.ops):
        for index in op.inputs:
            if index != -1 and index not in known:
                raise ModelError(
                    f"operator {number} ({op.kind}) reads tensor "
                    f"{graph.tensors[index].name!r} before it is written"
                )
        for index in op.outputs:
            if index in known:
                raise ModelError(
                    f"operator {number} ({op.kind}) overwrites tensor {graph.tensors[index].name!r}"
                )
            known.add(index)
    if graph.outputs[0] not in known or graph.input.constant or graph.output.constant:
        raise ModelError("input and output must be activations, and the output must be written")
    if not graph.input.shape or graph.input.shape[0] != 1:
        raise ModelError(f"the input's batch must be 1; its shape is {graph.input.shape}")
