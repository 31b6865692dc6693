"""CONV_2D: weights (out, kernel_h, kernel_w, in), one scale per output channel."""

from __future__ import annotations

import numpy as np

from codegen.ir import Graph, ModelError, Op
from codegen.ops import convolution
from codegen.ops.base import (
    Array,
    Call,
    Operator,
    constant_values,
    image_shape,
    output_of,
    require,
    require_activations,
    require_inputs,
)
from codegen.ops.sweep import Sweep
from codegen.ops.window import Window, window_of


class Conv2D(Operator):
    """Dense convolution, without dilation or groups."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse dilation, groups and shapes that do not fit together."""
        require_inputs(op, 2, 4)
        require_activations(graph, op)
        weights = graph.tensors[op.inputs[1]]
        require(len(weights.shape) == 4, weights, "weights must be (out, kernel_h, kernel_w, in)")
        channels = image_shape(output_of(graph, op))[2]
        shape = (channels, *weights.shape[1:3], image_shape(graph.tensors[op.inputs[0]])[2])
        convolution.check_weights(graph, op, channels, 0, shape)
        require_no_dilation(op)
        sliding_window(graph, op)

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``conv_2d``."""
        window = sliding_window(graph, op)
        weights = constant_values(graph.tensors[op.inputs[1]])
        common = {"window": window.value, "weights": Array("weights", weights)}
        if weights.dtype == np.float32:
            params, fields = "Conv2DFloat", convolution.float_fields(graph, op, len(weights))
        else:
            scales = convolution.effective_scales(graph, op)
            flat = weights.astype(np.int64).reshape(len(weights), -1)
            params, fields = "Conv2DInt8", convolution.int8_fields(graph, op, flat, scales)
        return Call("conv_2d", "conv_2d.hpp", params, common | fields, op.inputs[:1], op.outputs[0])

    def sweep(self, graph: Graph, op: Op, position: int) -> Sweep:
        """Row by row."""
        return sliding_window(graph, op).sweep(output_of(graph, op).dtype)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Weights, bias, multipliers and exponents."""
        return convolution.constant_bytes(graph, op, graph.tensors[op.inputs[1]].shape[0])


def require_no_dilation(op: Op) -> None:
    """Refuse dilated kernels."""
    dilation = op.options.get("dilation_h", 1), op.options.get("dilation_w", 1)
    if dilation != (1, 1):
        raise ModelError(f"dilation must be (1, 1); got {dilation}")


def sliding_window(graph: Graph, op: Op) -> Window:
    source, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
    kernel = weights.shape[1], weights.shape[2]
    return window_of(op, source, output_of(graph, op), kernel)


OPERATOR = Conv2D()
