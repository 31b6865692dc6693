"""FULLY_CONNECTED: weights (out, in). It runs as a 1x1 convolution over a row of pixels."""

from __future__ import annotations

from math import prod

from codegen.ir import Graph, ModelError, Op
from codegen.ops import convolution
from codegen.ops.base import (
    Call,
    Operator,
    output_of,
    require,
    require_activations,
    require_inputs,
)
from codegen.ops.conv_2d import convolution_call
from codegen.ops.window import Window


class FullyConnected(Operator):
    """Matrix by vector; leading axes of the input are pixels."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse shapes that do not fit together and shuffled weights."""
        require_inputs(op, 2, 4)
        require_activations(graph, op)
        if op.options.get("weights_format", "DEFAULT") != "DEFAULT":
            raise ModelError("weights_format must be DEFAULT")
        weights, output = graph.tensors[op.inputs[1]], output_of(graph, op)
        require(len(weights.shape) == 2 and min(weights.shape) > 0, weights, "must be (out, in)")
        convolution.check_weights(graph, op, weights.shape[0], 0, weights.shape)
        source = graph.tensors[op.inputs[0]]
        rows = source.elements // weights.shape[1]
        require(rows * weights.shape[1] == source.elements, source, "must hold whole rows")
        require(rows * weights.shape[0] == output.elements, output, "does not follow from input")
        require(max(rows, *weights.shape) < 1 << 15, weights, "no side may exceed 32767")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``conv_2d`` on pixels of one row."""
        source, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
        channels, depth = weights.shape
        pixels = prod(source.shape) // depth
        window = Window((1, pixels, depth), (1, pixels, channels), 1, 1, 1, 1, 0, 0)
        scales = () if weights.dtype == "float32" else convolution.effective_scales(graph, op)
        return convolution_call(graph, op, window, scales)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Weights, bias, multipliers and shifts."""
        weights = graph.tensors[op.inputs[1]]
        padding = convolution.padding_bytes(weights)
        return convolution.constant_bytes(graph, op, weights.shape[0], padding)


OPERATOR = FullyConnected()
