"""A network in one file, taken apart: the extractor that is frozen, and the head that learns.

The head is the last linear layer (``codegen.frontend.heads``). What follows it only turns its outputs
into probabilities and is dropped: the device learns and predicts from logits. What precedes it
becomes the extractor, whose output is the layer's input, flattened. A new head takes that layer's
place, or follows the tensor at which the network was cut; without a head the network stays whole.

Codes are kept: an extractor of codes takes codes, even if the file converts reals at its start,
because a camera delivers bytes and a float image takes four times the memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from codegen.frontend import heads
from codegen.frontend.ends import needed_for
from codegen.frontend.refuse import check, check_operators
from codegen.ir import Graph, ModelError, Op, Tensor
from codegen.limits import MOST_CLASSES
from codegen.project import HeadWeights


@dataclass(frozen=True, eq=False)
class Split:
    """The two halves, and the kinds of operators that were dropped, in order.

    ``source`` is the file's tensor that the features are the elements of; -1 where they are its
    average, which no file has. ``note`` says what the user may have to know of the choice; empty
    where that is nothing.
    """

    extractor: Graph
    head: HeadWeights
    head_kind: str
    dropped: tuple[str, ...]
    source: int
    note: str = ""


def split(graph: Graph) -> Split:
    """Take a graph apart at its last layer; what follows that need not be supported.

    Raises:
        ModelError: names what is not supported before it, or what stands where the head should be,
            and what to do.
    """
    graph, dropped = _from_codes(graph)
    found = heads.last_layer(graph)
    layer = found.layer
    if layer is None:
        check_operators(graph, heads.TAIL)
        raise ModelError(
            f"the last layer must be {heads.ALLOWED}; it is {found.described}. {heads.ADVICE}"
        )
    check(replace(graph, ops=needed_for(graph, found.end), outputs=(found.end,)))
    head = heads.with_both_classes(heads.weights(graph, layer), found.tail)
    extractor = _as_extractor(*_features(graph, found))
    dropped = (*dropped, *(op.kind for op in found.tail))
    note = "" if found.tells_classes else NO_SOFTMAX
    return Split(extractor, head, layer.kind, dropped, _source(found), note)


NO_SOFTMAX = (
    "no softmax follows the last layer: if its outputs are not the scores of classes (an "
    "autoencoder, an embedding, a regression), use --inference-only"
)


def with_new_head(graph: Graph, classes: int, *, cut: bool = False) -> Split:
    """A head of zeros that is yet to learn, on what went into the old one.

    Where the network was ``cut``, or has no linear last layer, it reads the network's output.

    Raises:
        ModelError: the number of classes is not one that a head can have, or the network is not
            supported.
    """
    if not 2 <= classes <= MOST_CLASSES:
        raise ModelError(f"a head has 2 to {MOST_CLASSES} classes; got {classes}")
    graph, dropped = _from_codes(graph)
    found = heads.last_layer(graph)
    gone: tuple[Op, ...]
    if found.layer is not None and found.linear and not cut:
        whole, features = _features(graph, found)
        source = _source(found)
        gone = (found.layer, *([found.pool] if found.pool else []), *found.tail)
    else:
        whole, features, gone = graph, *_before_reals(graph, found, cut=cut)
        source = features
    check(replace(whole, ops=needed_for(whole, features), outputs=(features,)))
    extractor = _as_extractor(whole, features)
    weights = np.zeros((classes, extractor.output.elements), np.float32)
    head = HeadWeights(weights, weights[:, 0].copy())
    return Split(extractor, head, "new", (*dropped, *(op.kind for op in gone)), source)


@dataclass(frozen=True, eq=False)
class Whole:
    """A network without a head: codes in and codes out, and what was dropped, as in ``Split``."""

    graph: Graph
    dropped: tuple[str, ...]
    source: int


def without_head(graph: Graph) -> Whole:
    """The whole of a graph, but for what makes codes of reals at its start and reals of codes at its end.

    Raises:
        ModelError: it is not supported.
    """
    graph, dropped = _from_codes(graph)
    end, gone = _before_reals(graph, heads.last_layer(graph), cut=True)
    check(replace(graph, ops=needed_for(graph, end), outputs=(end,)))
    dropped = (*dropped, *(op.kind for op in gone))
    return Whole(_as_extractor(graph, end, flat=False), dropped, end)


def _source(found: heads.LastLayer) -> int:
    return found.layer.inputs[0] if found.layer is not None and found.pool is None else -1


def _features(graph: Graph, found: heads.LastLayer) -> tuple[Graph, int]:
    """The graph and its tensor that the head reads: averaged first, where its outputs were."""
    assert found.layer is not None
    source = found.layer.inputs[0]
    if found.pool is None:
        return graph, source
    like = graph.tensors[source]
    mean = replace(like, name=f"{like.name}/mean", shape=(1, like.shape[-1]))
    axes = Tensor("axes", (2,), "int32", constant=True, data=np.array([1, 2], np.int32))
    count = len(graph.tensors)
    options: dict[str, int | float | str | bool] = {"keep_dims": False}
    op = Op("MEAN", (source, count), (count + 1,), MappingProxyType(options))
    tensors = (*graph.tensors, axes, mean)
    return replace(graph, tensors=tensors, ops=(*graph.ops, op)), count + 1


def _before_reals(graph: Graph, found: heads.LastLayer, *, cut: bool) -> tuple[int, tuple[Op, ...]]:
    """The tensor before what only makes reals or probabilities of it, and what does that."""
    gone = found.tail
    if cut:  # a network that is to end there does: but for what makes reals of codes
        gone = gone[-1:] if gone and gone[-1].kind == "DEQUANTIZE" else ()
    return (gone[0].inputs[0], gone) if gone else (graph.outputs[0], ())


def _from_codes(graph: Graph) -> tuple[Graph, tuple[str, ...]]:
    """Without the QUANTIZE at the start, if that is all that reads the input; what was dropped."""
    readers = [op for op in graph.ops if graph.inputs[0] in op.inputs]
    if len(readers) != 1 or readers[0].kind != "QUANTIZE" or graph.input.dtype != "float32":
        return graph, ()
    ops = tuple(op for op in graph.ops if op is not readers[0])
    return replace(graph, ops=ops, inputs=readers[0].outputs), ("QUANTIZE",)


def _as_extractor(graph: Graph, features: int, *, flat: bool = True) -> Graph:
    """From an image (1, H, W, C) to ``features``, as one row unless they are not to be ``flat``."""
    ops = list(needed_for(graph, features))
    tensors, (source,) = list(graph.tensors), graph.inputs
    if source != features and not any(source in op.inputs for op in ops):
        raise ModelError("the features do not depend on the input")
    shape = _image(graph, source)
    if shape != tensors[source].shape:
        tensors.append(replace(tensors[source], name="image", shape=shape))
        ops.insert(0, _reshape(len(tensors) - 1, source))
        source = len(tensors) - 1
    row = (1, tensors[features].elements) if flat else tensors[features].shape
    if tensors[features].shape != row or not ops:
        tensors.append(replace(tensors[features], name="features", shape=row))
        ops.append(_reshape(features, len(tensors) - 1))
        features = len(tensors) - 1
    return Graph(tuple(tensors), tuple(ops), (source,), (features,))


def _image(graph: Graph, source: int) -> tuple[int, ...]:
    """(1, H, W, C) with the same elements: a vector becomes a line, rows of a window a line each.

    What the network itself reshapes to an image of one channel is one.
    """
    tensor = graph.tensors[source]
    if len(tensor.shape) > 4:
        raise ModelError(f"tensor {tensor.name!r} {tensor.shape}: the input must have up to 4 axes")
    sides = tensor.shape[1:]
    reshaped = [
        graph.tensors[op.outputs[0]].shape
        for op in graph.ops
        if op.kind == "RESHAPE" and op.inputs[0] == source
    ]
    if (*tensor.shape, 1) in reshaped and len(sides) == 2:
        return (*tensor.shape, 1)
    if len(sides) == 1:
        return (1, 1, sides[0], 1)
    return (1,) * (4 - len(sides)) + sides if sides else (1, 1, 1, 1)


def _reshape(source: int, output: int) -> Op:
    return Op("RESHAPE", (source,), (output,), MappingProxyType({}))
