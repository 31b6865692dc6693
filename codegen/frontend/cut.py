"""A classifier in one file, taken apart: the extractor that is frozen, and the head that learns.

The head is the last FULLY_CONNECTED, or a 1x1 CONV_2D on a single pixel, which is the same. What
follows it only turns its outputs into probabilities and is dropped: the device learns and predicts
from logits. What precedes it becomes the extractor, whose output is the layer's input, flattened.

Codes are kept: an extractor of codes takes codes, even if the file converts reals at its start,
because a camera delivers bytes and a float image takes four times the memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from codegen.arithmetic.fixed_point import scale_of
from codegen.ir import Graph, ModelError, Op, Tensor
from codegen.ops.base import activation_of, constant_values, output_of
from codegen.ops.convolution import BIAS
from codegen.project import HeadWeights

MOST_CLASSES = 256  # labels are one byte
ADVICE = "--new-head N keeps the whole model as the extractor, with a fresh head of N classes"


@dataclass(frozen=True, eq=False)
class Split:
    """The two halves, and the kinds of operators that were dropped, in order."""

    extractor: Graph
    head: HeadWeights
    head_kind: str
    dropped: tuple[str, ...]


def split(graph: Graph) -> Split:
    """Take a checked graph apart at its last layer.

    Raises:
        ModelError: says what stands where the head should be, and what to do.
    """
    before = [op.kind for op in graph.ops]
    graph = _from_codes(graph)
    tail: list[Op] = []
    op = _writer(graph, graph.outputs[0])
    while op is not None and op.kind in (
        "SOFTMAX",
        "DEQUANTIZE",
        "QUANTIZE",
        "RESHAPE",
        "LOGISTIC",
    ):
        tail.insert(0, op)
        op = _writer(graph, op.inputs[0])
    if op is None or not _is_head(graph, op):
        found = "nothing" if op is None else _described(graph, op)
        raise ModelError(
            f"the last layer must be FULLY_CONNECTED, or a 1x1 CONV_2D on one pixel; it is {found}. "
            f"{ADVICE}"
        )
    head = _with_both_classes(_weights(graph, op), tail)
    dropped = ["QUANTIZE"] * (before[:1] == ["QUANTIZE"] and len(graph.ops) < len(before))
    return Split(
        _as_extractor(graph, op.inputs[0]),
        head,
        op.kind,
        (*dropped, *(op.kind for op in tail)),
    )


def with_new_head(graph: Graph, classes: int) -> Split:
    """The whole of a checked graph as the extractor, and a head of zeros that is yet to learn.

    Raises:
        ModelError: the number of classes is not one that a head can have.
    """
    if not 2 <= classes <= MOST_CLASSES:
        raise ModelError(f"a head has 2 to {MOST_CLASSES} classes; got {classes}")
    before = len(graph.ops)
    graph = _from_codes(graph)
    dropped = ["QUANTIZE"] * (before - len(graph.ops))
    features = graph.outputs[0]
    last = _writer(graph, features)
    if last is not None and last.kind == "DEQUANTIZE":
        features = last.inputs[0]
        dropped.append("DEQUANTIZE")
    extractor = _as_extractor(graph, features)
    weights = np.zeros((classes, extractor.output.elements), np.float32)
    return Split(extractor, HeadWeights(weights, weights[:, 0].copy()), "new", tuple(dropped))


def _from_codes(graph: Graph) -> Graph:
    """Without the QUANTIZE at the start, if that is all that reads the input."""
    readers = [op for op in graph.ops if graph.inputs[0] in op.inputs]
    if len(readers) != 1 or readers[0].kind != "QUANTIZE" or graph.input.dtype != "float32":
        return graph
    ops = tuple(op for op in graph.ops if op is not readers[0])
    return replace(graph, ops=ops, inputs=readers[0].outputs)


def _writer(graph: Graph, index: int) -> Op | None:
    return next((op for op in graph.ops if index in op.outputs), None)


def _is_head(graph: Graph, op: Op) -> bool:
    if op.kind == "FULLY_CONNECTED":
        return graph.tensors[op.inputs[0]].elements == graph.tensors[op.inputs[1]].shape[1]
    if op.kind != "CONV_2D":
        return False
    one = graph.tensors[op.inputs[1]].shape[1:3] == (1, 1)
    return one and all(graph.tensors[i].shape[1:3] == (1, 1) for i in (op.inputs[0], *op.outputs))


def _described(graph: Graph, op: Op) -> str:
    return f"{op.kind} {graph.tensors[op.inputs[0]].shape} -> {output_of(graph, op).shape}"


def _weights(graph: Graph, op: Op) -> HeadWeights:
    """Scale times code, in float32; the layer must be linear."""
    if activation_of(op) != "NONE":
        raise ModelError(
            f"the last layer has the fused activation {activation_of(op)}; a head is linear. {ADVICE}"
        )
    tensor = graph.tensors[op.inputs[1]]
    weights = constant_values(tensor).reshape(tensor.shape[0], -1)
    bias = np.zeros(len(weights))
    present = len(op.inputs) > BIAS and op.inputs[BIAS] >= 0
    if present:
        bias = constant_values(graph.tensors[op.inputs[BIAS]]).reshape(-1).astype(np.float64)
    if tensor.dtype == "float32":
        return HeadWeights(weights.astype(np.float32), bias.astype(np.float32))
    scales = _scales(tensor)
    real = weights.astype(np.float64) * scales[:, np.newaxis]
    bias *= float(scale_of(graph.tensors[op.inputs[0]])) * scales
    return HeadWeights(real.astype(np.float32), bias.astype(np.float32))


def _scales(weights: Tensor) -> npt.NDArray[np.float64]:
    """One for each output."""
    if weights.quantization is None:
        raise ModelError(f"tensor {weights.name!r}: int8 weights need scales")
    return np.broadcast_to(np.array(weights.quantization.scales), weights.shape[:1])


def _with_both_classes(head: HeadWeights, tail: list[Op]) -> HeadWeights:
    """A single sigmoid output is the second of two classes; the first has the logit 0."""
    logistic = any(op.kind == "LOGISTIC" for op in tail)
    for op in tail:
        if op.kind == "SOFTMAX" and op.options["beta"] != 1:
            raise ModelError(f"SOFTMAX's beta must be 1; got {op.options['beta']}. {ADVICE}")
    if head.classes == 1 and logistic:
        return HeadWeights(
            np.concatenate([np.zeros_like(head.weights), head.weights]),
            np.concatenate([np.zeros_like(head.bias), head.bias]),
        )
    if logistic:
        raise ModelError(
            f"the last layer has {head.classes} independent sigmoid outputs; a head tells classes "
            f"apart of which one is true. {ADVICE}"
        )
    if not 2 <= head.classes <= MOST_CLASSES:
        raise ModelError(
            f"the last layer has {head.classes} outputs; a head has 2 to {MOST_CLASSES} classes. "
            f"{ADVICE}"
        )
    return head


def _as_extractor(graph: Graph, features: int) -> Graph:
    """From an image (1, H, W, C) to a row of features: all that tensor ``features`` is made from."""
    needed, ops = {features}, list[Op]()
    for op in reversed(graph.ops):
        if needed & set(op.outputs):
            ops.insert(0, op)
            needed |= {i for i in op.inputs if i >= 0}
    tensors, (source,) = list(graph.tensors), graph.inputs
    if source not in needed:
        raise ModelError("the features do not depend on the input")
    shape = _image(tensors[source])
    if shape != tensors[source].shape:
        tensors.append(replace(tensors[source], name="image", shape=shape))
        ops.insert(0, _reshape(len(tensors) - 1, source))
        source = len(tensors) - 1
    row = 1, tensors[features].elements
    if tensors[features].shape != row or not ops:
        tensors.append(replace(tensors[features], name="features", shape=row))
        ops.append(_reshape(features, len(tensors) - 1))
        features = len(tensors) - 1
    return Graph(tuple(tensors), tuple(ops), (source,), (features,))


def _image(tensor: Tensor) -> tuple[int, ...]:
    """(1, H, W, C) with the same elements: a vector becomes a line, rows of a window a line each."""
    if len(tensor.shape) > 4:
        raise ModelError(f"tensor {tensor.name!r} {tensor.shape}: the input must have up to 4 axes")
    sides = tensor.shape[1:]
    if len(sides) == 1:
        return (1, 1, sides[0], 1)
    return (1,) * (4 - len(sides)) + sides if sides else (1, 1, 1, 1)


def _reshape(source: int, output: int) -> Op:
    return Op("RESHAPE", (source,), (output,), MappingProxyType({}))
