"""Damage for the reader's tests: a model with a few fields of its flatbuffer made hostile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from codegen.emit import emitter as emit
from codegen.frontend.cut import split, with_new_head
from codegen.frontend.read import read_as_written
from codegen.ir import Graph, ModelError
from codegen.passes.prepare import prepare
from codegen.passes.simplify import simplify

INTEGERS = (0, 1, -1, 2, 3, 7, 100, 255, 32767, 32768, 65535, 2**31 - 1, -(2**31))
REALS = (0.0, 1e-45, 1e-38, 1e-20, 1e-10, 1 / 256, 1.0, -1.0, 1e10, 1e20, 3e38, np.inf, np.nan)
ZERO_POINTS = (*INTEGERS, 127, -128, 128, 2**40, -(2**63))


def compile_all_the_way(model: bytes) -> Graph:
    """Through every pass of the compiler; the graph that would be emitted."""
    graph = read_as_written(model)
    for halve in (split, lambda whole: with_new_head(whole, 3)):
        try:
            extractor = halve(graph).extractor
        except ModelError:
            continue
        simplify(extractor)
    arranged, layout = prepare(graph)
    emit.lower(arranged, layout)
    return arranged


def damaged(model: bytes, rng: np.random.Generator) -> bytes:
    """``model`` with one to three fields changed: any but the weights themselves."""
    table = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    for _ in range(int(rng.integers(1, 4))):
        if table.subgraphs[0].operators:
            DAMAGES[int(rng.integers(len(DAMAGES)))](table, rng)
    builder = flatbuffers.Builder(1024)
    builder.Finish(table.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _one(items: Sequence[Any], rng: np.random.Generator) -> Any:
    return items[int(rng.integers(len(items)))]


def _list(items: Any) -> list[int]:
    return [] if items is None else [int(item) for item in items]


def _side(model: Any, rng: np.random.Generator) -> None:
    tensor = _one(model.subgraphs[0].tensors, rng)
    sides = _list(tensor.shape)
    if sides:
        sides[int(rng.integers(len(sides)))] = _one(INTEGERS, rng)
    tensor.shape = sides


def _rank(model: Any, rng: np.random.Generator) -> None:
    tensor = _one(model.subgraphs[0].tensors, rng)
    sides = _list(tensor.shape)
    tensor.shape = _one((sides[:-1], [*sides, 2], [1] * int(rng.integers(12)), []), rng)


def _dtype(model: Any, rng: np.random.Generator) -> None:
    _one(model.subgraphs[0].tensors, rng).type = _one((0, 2, 3, 4, 7, 9, 17, -1), rng)


def _buffer(model: Any, rng: np.random.Generator) -> None:
    _one(model.subgraphs[0].tensors, rng).buffer = int(rng.integers(len(model.buffers) + 2))


def _scale(model: Any, rng: np.random.Generator) -> None:
    quantization = _one(model.subgraphs[0].tensors, rng).quantization
    if quantization is not None:
        count = 1 if rng.random() < 0.6 else int(rng.integers(70))
        quantization.scale = [_one(REALS, rng) for _ in range(count)]


def _zero_point(model: Any, rng: np.random.Generator) -> None:
    quantization = _one(model.subgraphs[0].tensors, rng).quantization
    if quantization is not None:
        count = 1 if rng.random() < 0.6 else int(rng.integers(70))
        quantization.zeroPoint = [_one(ZERO_POINTS, rng) for _ in range(count)]


def _axis(model: Any, rng: np.random.Generator) -> None:
    quantization = _one(model.subgraphs[0].tensors, rng).quantization
    if quantization is not None:
        quantization.quantizedDimension = _one(INTEGERS, rng)


def _wire(model: Any, rng: np.random.Generator) -> None:
    graph = model.subgraphs[0]
    operator, field = _one(graph.operators, rng), _one(("inputs", "outputs"), rng)
    wires, other = _list(getattr(operator, field)), int(rng.integers(-1, len(graph.tensors)))
    if wires and rng.random() < 0.6:
        wires[int(rng.integers(len(wires)))] = other if rng.random() < 0.7 else _one(INTEGERS, rng)
    else:
        wires = _one((wires[:-1], [*wires, other], wires * 2, wires * 40, []), rng)
    setattr(operator, field, wires)


def _kind(model: Any, rng: np.random.Generator) -> None:
    operator = _one(model.subgraphs[0].operators, rng)
    operator.opcodeIndex = int(rng.integers(len(model.operatorCodes) + 1))


def _option(model: Any, rng: np.random.Generator) -> None:
    options = _one(model.subgraphs[0].operators, rng).builtinOptions
    if options is None or not vars(options):
        return
    name = _one(sorted(vars(options)), rng)
    value: Any = _one(REALS, rng) if name == "beta" else int(rng.integers(-2, 6))
    if any(word in name for word in ("stride", "filter", "dilation", "axis", "Multiplier")):
        value = _one(INTEGERS, rng)
    if isinstance(getattr(options, name), bool):
        value = bool(rng.integers(2))
    if name in ("newShape", "squeezeDims", "quantSpec"):
        value = [_one(INTEGERS, rng) for _ in range(int(rng.integers(4)))]
    setattr(options, name, value)


def _constant(model: Any, rng: np.random.Generator) -> None:
    buffer = _one(model.buffers, rng)
    if buffer.data is None or not len(buffer.data):
        return
    data = np.array(buffer.data, np.uint8)
    word = np.frombuffer(np.int64(_one(INTEGERS, rng)).tobytes(), np.uint8)[: min(4, data.size)]
    data[: word.size] = word
    buffer.data = data if rng.random() < 0.7 else data[: int(rng.integers(data.size))]


def _order(model: Any, rng: np.random.Generator) -> None:
    graph, operator = model.subgraphs[0], _one(model.subgraphs[0].operators, rng)
    others = [other for other in graph.operators if other is not operator]
    graph.operators = _one((others, [*graph.operators, operator], graph.operators[::-1]), rng)


def _ends(model: Any, rng: np.random.Generator) -> None:
    graph = model.subgraphs[0]
    index = int(rng.integers(len(graph.tensors)))
    setattr(graph, _one(("inputs", "outputs"), rng), _one(([index], [index, index], []), rng))


DAMAGES: tuple[Callable[[Any, np.random.Generator], None], ...] = (
    _side,
    _rank,
    _dtype,
    _buffer,
    _scale,
    _scale,
    _zero_point,
    _axis,
    _wire,
    _kind,
    _option,
    _constant,
    _order,
    _ends,
)
