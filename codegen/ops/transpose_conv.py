"""TRANSPOSE_CONV: a convolution backwards, every pixel spread over the window that would read it.

Its window is that of the convolution from its output to its input. Operands are in the order of
other convolutions: image, weights (out, kernel_h, kernel_w, in) and bias.
"""

from __future__ import annotations

import numpy as np

from codegen.ir import Graph, ModelError, Op
from codegen.ops import convolution
from codegen.ops.base import (
    Array,
    Call,
    Operator,
    Value,
    activation_of,
    constant_values,
    image_shape,
    output_of,
    require,
    require_activations,
    require_inputs,
)
from codegen.ops.window import Window, window_of


class TransposeConv(Operator):
    """Each output sums the taps of all windows that hold it."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse a fused activation and shapes that do not fit together."""
        require_inputs(op, 2, 3)
        require_activations(graph, op)
        weights = graph.tensors[op.inputs[1]]
        require(len(weights.shape) == 4, weights, "weights must be (out, kernel_h, kernel_w, in)")
        channels = image_shape(output_of(graph, op))[2]
        shape = (channels, *weights.shape[1:3], image_shape(graph.tensors[op.inputs[0]])[2])
        convolution.check_weights(graph, op, channels, 0, shape)
        if activation_of(op) != "NONE":
            raise ModelError(f"fused activation must be NONE; got {activation_of(op)}")
        _window(graph, op)

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``transpose_conv``."""
        weights = constant_values(graph.tensors[op.inputs[1]])
        fields: dict[str, Value] = {
            "window": _window(graph, op).value,
            "weights": Array("weights", weights),
        }
        if weights.dtype == np.float32:
            params = "TransposeConvFloat"
            fields |= convolution.float_fields(graph, op, len(weights))
        else:
            params = "TransposeConvInt8"
            flat = weights.astype(np.int64).reshape(len(weights), -1)
            scales = convolution.effective_scales(graph, op)
            fields |= convolution.int8_fields(graph, op, flat, scales, folds=False).fields
        return Call(
            "transpose_conv", "transpose_conv.hpp", params, fields, op.inputs[:1], op.outputs[0]
        )

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Weights, bias, multipliers and shifts."""
        return convolution.constant_bytes(graph, op, graph.tensors[op.inputs[1]].shape[0], 0)


def _window(graph: Graph, op: Op) -> Window:
    weights = graph.tensors[op.inputs[1]]
    kernel = weights.shape[1], weights.shape[2]
    return window_of(op, output_of(graph, op), graph.tensors[op.inputs[0]], kernel)


OPERATOR = TransposeConv()
