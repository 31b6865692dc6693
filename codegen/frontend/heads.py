"""A network's last linear layer: where it stands, and its weights as real numbers.

It is a FULLY_CONNECTED, or a CONV_2D whose kernel covers its map, which is the same, or a 1x1
CONV_2D whose outputs are averaged over the map: the average of linear functions is the function of
the average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codegen.arithmetic.fixed_point import scale_of
from codegen.ir import Graph, ModelError, Op, Tensor
from codegen.limits import MOST_CLASSES
from codegen.ops.base import activation_of, constant_values
from codegen.ops.convolution import BIAS
from codegen.project import HeadWeights

PROBABILITIES = ("SOFTMAX", "LOG_SOFTMAX", "LOGISTIC", "ARG_MAX")
TAIL = (*PROBABILITIES, "DEQUANTIZE", "QUANTIZE", "RESHAPE")
"""What may follow the last layer: none of it changes which class is the likeliest."""

POOLS = ("MEAN", "AVERAGE_POOL_2D")
ALLOWED = "FULLY_CONNECTED, or a CONV_2D as large as its map, or a 1x1 CONV_2D that is averaged"
ADVICE = (
    "--new-head N puts a fresh head of N classes in its place, --inference-only does without one"
)


@dataclass(frozen=True, eq=False)
class LastLayer:
    """What a graph ends with: the linear ``layer``, its ``pool`` and the ``tail``; None where none is.

    ``end`` is the tensor before the tail; ``described`` tells what writes it.
    """

    layer: Op | None
    pool: Op | None
    tail: tuple[Op, ...]
    end: int
    described: str

    @property
    def tells_classes(self) -> bool:
        """Whether the outputs become probabilities, or the likeliest class."""
        return any(op.kind in PROBABILITIES for op in self.tail)

    @property
    def linear(self) -> bool:
        """Whether the layer has no activation."""
        return self.layer is not None and self.layer.options["fused_activation"] == "NONE"


def last_layer(graph: Graph) -> LastLayer:
    """Walk back from the output of a graph whose tensors are each written once, before they are read."""
    writers = {index: op for op in graph.ops for index in op.outputs}
    tail: list[Op] = []
    end = graph.outputs[0]
    while end in writers and writers[end].kind in TAIL and writers[end].inputs:
        tail.insert(0, writers[end])
        end = writers[end].inputs[0]
    last = writers.get(end)
    described = "nothing" if last is None else _described(graph, last)
    pool = last if last is not None and _averages_all(graph, last) else None
    layer = last if pool is None else writers.get(pool.inputs[0])
    if layer is not None and not (_is_pointwise(graph, layer) if pool else _is_head(graph, layer)):
        layer = None
    return LastLayer(layer, pool if layer else None, tuple(tail), end, described)


def weights(graph: Graph, op: Op) -> HeadWeights:
    """Scale times code, in float32, of a checked layer, which must be linear."""
    if activation_of(op) != "NONE":
        raise ModelError(
            f"the last layer has the fused activation {activation_of(op)}; a head is linear. {ADVICE}"
        )
    tensor = graph.tensors[op.inputs[1]]
    codes = constant_values(tensor).reshape(tensor.shape[0], -1)
    bias = np.zeros(len(codes))
    present = len(op.inputs) > BIAS and op.inputs[BIAS] >= 0
    if present:
        bias = constant_values(graph.tensors[op.inputs[BIAS]]).reshape(-1).astype(np.float64)
    if tensor.dtype == "float32":
        return HeadWeights(codes.astype(np.float32), bias.astype(np.float32))
    scales = _scales(tensor)
    real = codes.astype(np.float64) * scales[:, np.newaxis]
    bias *= float(scale_of(graph.tensors[op.inputs[0]])) * scales
    return HeadWeights(real.astype(np.float32), bias.astype(np.float32))


def with_both_classes(head: HeadWeights, tail: tuple[Op, ...]) -> HeadWeights:
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


def _is_head(graph: Graph, op: Op) -> bool:
    """Whether each output sees all of the layer's input."""
    shapes = _shapes(graph, op)
    if op.kind == "FULLY_CONNECTED" and len(shapes) > 1:
        source, kernel = shapes[:2]
        return len(kernel) == 2 and int(np.prod(source)) == kernel[1]
    if op.kind != "CONV_2D" or len(shapes) < 3 or any(len(shape) != 4 for shape in shapes):
        return False
    source, kernel, output = shapes
    covers = kernel[1:3] == source[1:3] and output[1:3] == (1, 1)
    # Where a kernel as large as the map is padded, some of its taps see nothing.
    whole = op.options["padding"] == "VALID" or kernel[1:3] == (1, 1)
    apart = op.options.get("dilation_h", 1), op.options.get("dilation_w", 1)
    return covers and whole and apart == (1, 1)


def _is_pointwise(graph: Graph, op: Op) -> bool:
    """Whether the layer sees one pixel at a time, and all of them."""
    shapes = _shapes(graph, op)
    if op.kind != "CONV_2D" or len(shapes) < 3 or any(len(shape) != 4 for shape in shapes):
        return False
    source, kernel, output = shapes
    return (
        kernel[1:3] == (1, 1)
        and source[1:3] == output[1:3]
        and op.options["fused_activation"] == "NONE"
    )


def _averages_all(graph: Graph, op: Op) -> bool:
    """Whether the operator averages a map to one pixel."""
    if op.kind not in POOLS or not op.inputs or min(op.inputs) < 0 or not op.outputs:
        return False
    source, output = (graph.tensors[i] for i in (op.inputs[0], op.outputs[0]))
    if len(source.shape) != 4 or source.elements == output.elements:
        return False
    if output.elements != source.shape[0] * source.shape[3]:
        return False
    if op.kind == "MEAN":
        axes = graph.tensors[op.inputs[1]].data if len(op.inputs) == 2 else None
        return axes is not None and {int(axis) % 4 for axis in axes.reshape(-1)} == {1, 2}
    window = op.options["filter_h"], op.options["filter_w"]
    return window == source.shape[1:3] and op.options["fused_activation"] == "NONE"


def _shapes(graph: Graph, op: Op) -> list[tuple[int, ...]]:
    """Of image, weights and output."""
    return [graph.tensors[i].shape for i in (*op.inputs[:2], *op.outputs[:1]) if i >= 0]


def _described(graph: Graph, op: Op) -> str:
    shapes = [graph.tensors[i].shape for i in (*op.inputs[:1], *op.outputs[:1]) if i >= 0]
    return f"{op.kind} {' -> '.join(map(str, shapes))}"


def _scales(tensor: Tensor) -> npt.NDArray[np.float64]:
    """One for each output."""
    if tensor.quantization is None:
        raise ModelError(f"tensor {tensor.name!r}: int8 weights need scales")
    return np.broadcast_to(np.array(tensor.quantization.scales), tensor.shape[:1])
