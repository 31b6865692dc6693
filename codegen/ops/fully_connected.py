"""FULLY_CONNECTED: weights (out, in). It runs as a 1x1 convolution over a row of pixels."""

from __future__ import annotations

from codegen.ir import Graph, ModelError, Op, Tensor
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

LONGEST_SIDE = (1 << 15) - 1  # of the kernel's shapes
MOST_TRIED = 1 << 10


class FullyConnected(Operator):
    """Matrix by vector; leading axes of the input are pixels, or rows where one is too deep."""

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
        require(max(rows, weights.shape[0]) <= LONGEST_SIDE, weights, "no side may exceed 32767")
        _pixel(weights)

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``conv_2d`` on pixels of one row."""
        source, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
        channels, inputs = weights.shape
        rows = source.elements // inputs
        width, depth = _pixel(weights)
        if width == 1:
            window = Window((1, rows, depth), (1, rows, channels), 1, 1, 1, 1, 0, 0)
        else:
            window = Window((rows, width, depth), (rows, 1, channels), 1, width, 1, 1, 0, 0)
        scales = () if weights.dtype == "float32" else convolution.effective_scales(graph, op)
        return convolution_call(graph, op, window, scales)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Weights, bias, multipliers and shifts."""
        weights = graph.tensors[op.inputs[1]]
        padding = convolution.padding_bytes(weights)
        return convolution.constant_bytes(graph, op, weights.shape[0], padding)


def _pixel(weights: Tensor) -> tuple[int, int]:
    """Width and depth of what one output sees: one pixel, or a row of several of the same depth."""
    inputs = weights.shape[1]
    least = -(-inputs // LONGEST_SIDE)
    width = next((n for n in range(least, least + MOST_TRIED) if inputs % n == 0), 0)
    require(
        0 < width <= LONGEST_SIDE,
        weights,
        f"more than {LONGEST_SIDE} inputs must be a multiple of a number up to "
        f"{least + MOST_TRIED - 1}",
    )
    return width, inputs // width


OPERATOR = FullyConnected()
