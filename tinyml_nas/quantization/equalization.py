"""Cross-layer equalization: each channel is scaled where it is made, and scaled back where it is read.

Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.1:

    f(s x) = s f(x):  W2 f(W1 x + b1) = (W2 S) f(S^-1 W1 x + S^-1 b1)

The network computes the same, and one scale for the whole tensor fits its channels better. Three things differ from
the paper, because more is known here:

- A channel's range is what it reaches on calibration images, not that of its weights: weights have a scale for each
  output channel, so that the range of W1 costs nothing. Before a depthwise convolution, whose weights have one for
  each channel too, all channels are made equally loud; before another convolution the factor is the root of
  the channel's range over that of the weights which read it, the paper's balance.
- ReLU6 is not replaced by ReLU, which is another function. A channel that reaches 6 is left as it is; others are made
  louder until they reach it at most, so that on the calibration images nothing is cut that was not.
- Through squeeze-excite: its mean and its product pass a channel's factor on.

Hard-swish is not scale-equivariant: what it reads is not scaled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from codegen.ir import Graph, Op
from tinyml_nas.progress import track
from tinyml_nas.quantization.calibration import Images
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.exact import Array, ExactNetwork
from tinyml_nas.quantization.layers import layer_names
from tinyml_nas.quantization.prepared import Prepared

CLIP = 6.0  # of ReLU6
LARGEST_FACTOR = 256.0
"""Between two channels of a tensor: beyond, a channel is silent, and was perhaps only so on these images."""

MOST_TOLD = 5  # layers that an error names

OUTPUT_AXIS: Mapping[str, int] = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}
EQUIVARIANT = ("NONE", "RELU", "RELU6")


@dataclass(frozen=True)
class Pair:
    """Operators by their numbers: what makes a tensor, and the convolutions that read its channels."""

    source: int
    readers: tuple[int, ...]


def equalized(prepared: Prepared, images: Images) -> Prepared:
    """The same network with equalized channels; ``images`` are normalised (N, S, S, 3).

    Raises:
        QuantizationError: there is no layer whose channels could be scaled; says why of the first.
    """
    graph = prepared.graph
    found, reasons = pairs(graph)
    if not found:
        told = [f"{layer}: {reason}" for layer, reason in reasons.items()]
        more = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
        raise QuantizationError(
            f"quantizer=int8_cle: no layer can be equalized ({'; '.join(told[:MOST_TOLD])}{more}); "
            "quantizer=int8_mse and quantizer=int8_qat need no such layers"
        )
    reached = _reached(graph, [pair.source for pair in found], images)
    constants: dict[int, Array] = {}

    def constant(index: int) -> Array:
        if index not in constants:
            constants[index] = prepared.constant(index)
        return constants[index]

    for pair in found:
        source = graph.ops[pair.source]
        readers = [graph.ops[number] for number in pair.readers]
        factors = _factors(
            reached[pair.source],
            [constant(op.inputs[1]) for op in readers if op.kind == "CONV_2D"],
            clipped=source.options["fused_activation"] == "RELU6",
        )
        weights, *bias = source.inputs[1:]
        shape = np.ones(4, np.int64)
        shape[OUTPUT_AXIS[source.kind]] = -1
        constants[weights] = constant(weights) / factors.reshape(shape)
        for index in bias:
            constants[index] = constant(index) / factors
        for op in readers:
            constants[op.inputs[1]] = constant(op.inputs[1]) * factors
    return prepared.with_constants(constants)


def pairs(graph: Graph) -> tuple[list[Pair], dict[str, str]]:
    """What can be equalized; and of every other layer with weights, by its name, why it cannot."""
    names = layer_names(graph)
    found: list[Pair] = []
    reasons: dict[str, str] = {}
    for number, op in enumerate(graph.ops):
        if op.kind not in OUTPUT_AXIS:
            continue
        fused = op.options["fused_activation"]
        readers, reason = _readers(graph, op.outputs[0])
        if fused not in EQUIVARIANT:
            reason = f"its activation is {fused}"
        if reason:
            reasons[names[number]] = reason
        else:
            found.append(Pair(number, tuple(readers)))
    return found, reasons


def _readers(graph: Graph, tensor: int) -> tuple[list[int], str]:
    """The convolutions that take a factor of ``tensor``'s channels in, or why one would get lost."""
    if tensor in graph.outputs:
        return [], "its output is the network's"
    found: list[int] = []
    for number, op in enumerate(graph.ops):
        if tensor not in op.inputs:
            continue
        if _takes_in(graph, op, tensor):
            found.append(number)
        elif _passes_on(graph, op):
            further, reason = _readers(graph, op.outputs[0])
            if reason:
                return [], reason
            found += further
        else:
            return [], f"{op.kind} reads it"
    if len(set(found)) < len(found):  # by way of a product, which would have the factor squared
        return [], "it is multiplied with itself"
    return found, ""


def _takes_in(graph: Graph, op: Op, tensor: int) -> bool:
    """Whether ``op`` weighs the channels of ``tensor`` one by one."""
    if op.kind == "DEPTHWISE_CONV_2D":
        return graph.tensors[op.inputs[1]].shape[3] == graph.tensors[tensor].shape[3]
    return op.kind == "CONV_2D"


def _passes_on(graph: Graph, op: Op) -> bool:
    """Whether a channel that is louder by a factor comes out louder by that factor.

    A product with a constant is the gate of a squeeze-excite on its way to the map: it is left alone.
    """
    if op.kind == "MEAN":
        return True
    return op.kind == "MUL" and not any(graph.tensors[index].constant for index in op.inputs)


def _reached(graph: Graph, sources: list[int], images: Images) -> dict[int, Array]:
    """What each channel of the operators ``sources`` reaches at most, (C,)."""
    network = ExactNetwork(graph)
    tensors = {number: graph.ops[number].outputs[0] for number in sources}
    reached = {n: np.zeros(graph.tensors[index].shape[-1]) for n, index in tensors.items()}
    for image in track(images, "ranges of channels"):
        values = network.run(image)
        for number, index in tensors.items():
            loudest = np.abs(values[index]).max(axis=(0, 1, 2))
            reached[number] = np.maximum(reached[number], loudest)
    return reached


def _factors(reached: Array, readers: list[Array], *, clipped: bool) -> Array:
    """The factor of each channel, (C,), by which it becomes quieter.

    ``readers`` are the weights (O, kh, kw, C) with one scale for each output that read the channels.
    """
    loudest = reached.max()
    if loudest == 0:
        return np.ones_like(reached)
    raw = np.maximum(reached, loudest / LARGEST_FACTOR)
    if readers:
        raw = np.sqrt(raw / _weight_of(readers))
    cut = clipped & (reached >= CLIP)
    # The loudest channel reaches what the tensor reached, so that nothing overflows a ReLU6.
    if not cut.all():
        raw *= (reached / raw)[~cut].max() / (CLIP if clipped else loudest) or 1.0
    return np.where(cut | (reached == 0), 1.0, raw)


def _weight_of(readers: list[Array]) -> Array:
    """How much the weights of each input channel use of their outputs' ranges, at most: (C,) in (0, 1]."""
    shares = []
    for weights in readers:
        largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
        shares.append((np.abs(weights) / np.where(largest > 0, largest, 1.0)).max(axis=(0, 1, 2)))
    share: Array = np.max(shares, axis=0)
    return np.maximum(share, 1 / LARGEST_FACTOR)
