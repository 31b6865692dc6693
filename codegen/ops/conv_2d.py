"""CONV_2D: weights (out, kernel_h, kernel_w, in), one scale per output channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.ir import Graph, Op, Tensor
from codegen.ops import convolution
from codegen.ops.base import (
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

LONGEST_WINDOW = 1152  # weights of one output channel: the fast kernel copies a window


class Conv2D(Operator):
    """Dense convolution, without groups."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse groups and shapes that do not fit together."""
        require_inputs(op, 2, 4)
        require_activations(graph, op)
        weights = graph.tensors[op.inputs[1]]
        require(len(weights.shape) == 4, weights, "weights must be (out, kernel_h, kernel_w, in)")
        channels, taken = (
            image_shape(tensor)[2] for tensor in (output_of(graph, op), graph.tensors[op.inputs[0]])
        )
        _check_groups(weights, taken)
        shape = (channels, *weights.shape[1:3], taken)
        convolution.check_weights(graph, op, channels, 0, shape)
        sliding_window(graph, op)

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``conv_2d``, or the kernel whose taps lie apart."""
        if is_dilated(op):
            return dilated_call(graph, op, sliding_window(graph, op), 0)
        weights = constant_values(graph.tensors[op.inputs[1]])
        scales = () if weights.dtype == np.float32 else convolution.effective_scales(graph, op)
        return convolution_call(graph, op, sliding_window(graph, op), scales)

    def sweep(self, graph: Graph, op: Op, position: int) -> Sweep:
        """Row by row."""
        return sliding_window(graph, op).sweep(output_of(graph, op).dtype)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Weights, bias, multipliers and shifts."""
        weights = graph.tensors[op.inputs[1]]
        padding = convolution.padding_bytes(weights)
        return convolution.constant_bytes(graph, op, weights.shape[0], padding)


def convolution_call(graph: Graph, op: Op, window: Window, scales: Sequence[float]) -> Call:
    """Call ``conv_2d``; ``scales`` are the effective ones of an int8 operator."""
    weights = constant_values(graph.tensors[op.inputs[1]])
    flat = weights.reshape(len(weights), -1)
    common = {"window": window.value, "weights": convolution.padded(graph.tensors[op.inputs[1]])}
    if weights.dtype == np.float32:
        params, kernel = "Conv2DFloat", "conv_2d"
        fields = convolution.float_fields(graph, op, len(weights))
    else:
        int8 = convolution.int8_fields(graph, op, flat.astype(np.int64), scales)
        params, fields = "Conv2DInt8", int8.fields
        kernel = int8.kernel("conv_2d", fits=flat.shape[1] <= LONGEST_WINDOW)
    return Call(kernel, "conv_2d.hpp", params, common | fields, op.inputs[:1], op.outputs[0])


def sliding_window(graph: Graph, op: Op) -> Window:
    """The operator's window; its kernel is what the taps reach over."""
    source, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
    kernel = reach(op, (weights.shape[1], weights.shape[2]))
    return window_of(op, source, output_of(graph, op), kernel)


def _check_groups(weights: Tensor, channels: int) -> None:
    """Refuse filters that see a part of the input's ``channels`` only."""
    seen = weights.shape[3]
    if not 0 < seen < channels or channels % seen:
        return
    groups = channels // seen
    require(
        False,
        weights,
        f"its filters see {seen} of {channels} channels each: a convolution in {groups} groups, which is not "
        "supported. Train the network with groups=1; with as many groups as channels by a DepthwiseConv2D "
        f"layer; or write it as {groups} convolutions of slices of the channels, and concatenate them",
    )


OPERATOR = Conv2D()
