"""A ``.tflite`` file to the compiler's graph.

``parse`` gives what the file says; ``open_model`` brings that to the compiler's own operators, up to
the tensor at which it is to end; ``read_as_written`` also checks that the compiler can take it, and
``read`` simplifies it, without changing a byte of its outputs. Slots and numbers below are those of
TensorFlow Lite's ``schema.fbs``, version 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from codegen.frontend.ends import ending_at
from codegen.frontend.flatbuffer import Table
from codegen.frontend.refuse import check, check_input, check_operators, check_wiring
from codegen.frontend.schema import DTYPES, ENUMS, IDENTIFIER, KINDS, OPTIONS, TYPES, VERSION
from codegen.ir import DType, Graph, ModelError, Op, Quantization, Tensor
from codegen.passes.legalize import legalize
from codegen.passes.simplify import simplify

__all__ = ["ModelError", "naming", "open_model", "parse", "read", "read_as_written"]

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


def read(model: Path | str | bytes) -> Graph:
    """Read, check and simplify a model with one subgraph, one input and one output.

    Args:
        model: path of a ``.tflite`` file, or its bytes.

    Raises:
        ModelError: names the file, and the operator and tensor where there is one.
    """
    return simplify(read_as_written(model))


def read_as_written(model: Path | str | bytes) -> Graph:
    """As ``read``, with every operator as the file has it, if the compiler has it at all."""
    graph = open_model(model)
    with naming(model):
        check(graph)
    return graph


def open_model(model: Path | str | bytes, end: str = "") -> Graph:
    """Read a model up to the tensor called ``end``, its only output where that is empty.

    Operators are those that the compiler has, where there are such for the file's; what the others
    do is not known yet. Every tensor is written once, before it is read.

    Raises:
        ModelError: names the file and what is wrong in it.
    """
    with naming(model):
        graph = parse(model if isinstance(model, bytes) else _content(Path(model)))
        check_input(graph)
        graph = legalize(ending_at(graph, end))
        try:
            check_wiring(graph)
        except ModelError:
            check_operators(graph)  # what keeps state is read before it is written
            raise
    return graph


@contextmanager
def naming(model: Path | str | bytes) -> Iterator[None]:
    """Put the file's name before what is wrong in it."""
    try:
        yield
    except ModelError as error:
        name = "the model given as bytes" if isinstance(model, bytes) else str(model)
        raise ModelError(f"{name}: {error}") from error


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
    if not subgraphs:
        raise ModelError("needs a subgraph; it has none")
    subgraph = subgraphs[0]  # the others belong to operators as WHILE, which are refused
    buffers = root.tables(4, MOST_TABLES)
    tensors = tuple(_tensor(table, buffers) for table in subgraph.tables(0, MOST_TABLES))
    graph = Graph(
        tensors=tensors,
        ops=tuple(_op(table, kinds) for table in subgraph.tables(3, MOST_OPERATORS)),
        inputs=_indices(subgraph, 1, MOST_OPERANDS),
        outputs=_indices(subgraph, 2, MOST_OPERANDS),
    )
    _check_indices(graph)
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
    dtype = _dtype(table.integer(1, "b"), name)
    if min(shape, default=1) < 1 or table.integer(10, "I"):
        raise ModelError(
            f"tensor {name!r} {shape}: sides must be positive and data inside the file's buffers"
        )
    signature = _indices(table, 7, MOST_AXES)
    tensor = Tensor(
        name,
        shape,
        dtype,
        _quantization(table.table(4), name),
        open_axes=tuple(axis for axis, side in enumerate(signature[: len(shape)]) if side < 0),
    )
    if tensor.size_bytes > LARGEST_TENSOR_BYTES:
        raise ModelError(
            f"tensor {name!r} {shape}: no tensor may exceed {LARGEST_TENSOR_BYTES} bytes"
        )
    data = _data(table, buffers, tensor)
    if data is None:
        return tensor
    return replace(tensor, constant=True, data=data)


def _dtype(number: int, name: str) -> DType:
    if number in DTYPES:
        return DTYPES[number]
    kind = TYPES[number] if 0 <= number < len(TYPES) else f"number {number}"
    why = ": it keeps state between inputs" if kind in ("resource", "variant") else ""
    raise ModelError(
        f"tensor {name!r}: type {kind} is not supported{why}; supported are int8, float32, and "
        "uint8 at both ends"
    )


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


def _check_indices(graph: Graph) -> None:
    mentioned = [*graph.inputs, *graph.outputs]
    for op in graph.ops:
        mentioned += [*op.outputs, *(i for i in op.inputs if i != -1)]
    for index in mentioned:
        if not 0 <= index < len(graph.tensors):
            raise ModelError(f"tensor {index} of {len(graph.tensors)} is missing")
