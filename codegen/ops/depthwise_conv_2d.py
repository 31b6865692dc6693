"""DEPTHWISE_CONV_2D: weights (1, kernel_h, kernel_w, out), one scale per output channel."""

from __future__ import annotations

import numpy as np

from codegen.arithmetic.fixed_point import INT8_MIN
from codegen.ir import Graph, Op
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
from codegen.ops.dilated import dilated_call, is_dilated, reach
from codegen.ops.sweep import Sweep
from codegen.ops.window import Window, window_of

FEWEST_CHANNELS, LARGEST_KERNEL = 4, 7  # what the fast kernel takes
LONGEST_ROW = 47  # taps of the fast kernel of one row


class DepthwiseConv2D(Operator):
    """Each input channel gives ``multiplier`` output channels, side by side."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse shapes that do not fit together."""
        require_inputs(op, 2, 4)
        require_activations(graph, op)
        weights, output = graph.tensors[op.inputs[1]], output_of(graph, op)
        require(len(weights.shape) == 4, weights, "weights must be (1, kernel_h, kernel_w, out)")
        channels = image_shape(output)[2]
        inputs = image_shape(graph.tensors[op.inputs[0]])[2]
        require(
            inputs > 0 and channels % inputs == 0 and channels > 0,
            output,
            f"channels must be a multiple of the input's {inputs}",
        )
        convolution.check_weights(graph, op, channels, 3, (1, *weights.shape[1:3], channels))
        sliding_window(graph, op)

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``depthwise_conv_2d``, the kernel of one row, or the one whose taps lie apart."""
        window = sliding_window(graph, op)
        if is_dilated(op):
            channels = graph.tensors[op.inputs[1]].shape[3]
            return dilated_call(graph, op, window, channels // window.input[2])
        return self.call(graph, op, window.lying)

    def call(self, graph: Graph, op: Op, window: Window, *, by_rows: bool = False) -> Call:
        """The call of a kernel whose taps are neighbours; that of images where it is called ``by_rows``."""
        is_row = window.is_row and not by_rows
        weights = constant_values(graph.tensors[op.inputs[1]])
        channels = weights.shape[3]
        multiplier = channels // window.input[2]
        common = {
            "window": window.value,
            "multiplier": multiplier,
            "weights": Array("weights", weights),
        }
        if weights.dtype == np.float32:
            params, kernel = "DepthwiseConv2DFloat", "depthwise_conv_2d"
            fields = convolution.float_fields(graph, op, channels)
        else:
            scales = convolution.effective_scales(graph, op)
            flat = weights.astype(np.int64).reshape(-1, channels).T
            int8 = convolution.int8_fields(graph, op, flat, scales)
            params, fields = "DepthwiseConv2DInt8", int8.fields
            fits = (
                multiplier == 1
                and channels >= FEWEST_CHANNELS
                and max(window.kernel_h, window.kernel_w)
                <= (LONGEST_ROW if is_row else LARGEST_KERNEL)
                and int(weights.min()) > INT8_MIN
            )
            kernel = int8.kernel("depthwise_conv_2d", fits=fits)
            kernel += "_row" if kernel == "depthwise_conv_2d" and is_row else ""
        return Call(
            kernel,
            f"depthwise_conv_2d{'_row' if kernel.endswith('_row') else ''}.hpp",
            params,
            common | fields,
            op.inputs[:1],
            op.outputs[0],
        )

    def sweep(self, graph: Graph, op: Op, position: int) -> Sweep:
        """Row by row, or along the only one."""
        window, dtype = sliding_window(graph, op).lying, output_of(graph, op).dtype
        return window.sweep_along(dtype) if window.is_row else window.sweep(dtype)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Weights, bias, multipliers and shifts."""
        return convolution.constant_bytes(graph, op, graph.tensors[op.inputs[1]].shape[3], 0)


def sliding_window(graph: Graph, op: Op) -> Window:
    """The operator's window; its kernel is what the taps reach over."""
    source, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
    kernel = reach(op, (weights.shape[1], weights.shape[2]))
    return window_of(op, source, output_of(graph, op), kernel)


OPERATOR = DepthwiseConv2D()
