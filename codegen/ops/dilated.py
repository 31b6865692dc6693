"""CONV_2D and DEPTHWISE_CONV_2D whose taps lie apart: a window with holes.

Window, padding and sweep are those of a kernel that reaches as far; only the taps are read.
"""

from __future__ import annotations

import numpy as np

from codegen.ir import Graph, ModelError, Op
from codegen.ops import convolution
from codegen.ops.base import Array, Call, Value, constant_values
from codegen.ops.window import Window

LARGEST = (1 << 15) - 1


def dilation_of(op: Op) -> tuple[int, int]:
    """Rows and columns from tap to tap.

    Raises:
        ModelError: they are no such numbers.
    """
    dilation = int(op.options.get("dilation_h", 1)), int(op.options.get("dilation_w", 1))
    if not 1 <= min(dilation) <= max(dilation) <= LARGEST:
        raise ModelError(f"dilation must be 1 to {LARGEST}; got {dilation}")
    return dilation


def reach(op: Op, taps: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the image from the first tap to the last."""
    rows, columns = (
        (count - 1) * apart + 1 for count, apart in zip(taps, dilation_of(op), strict=True)
    )
    return rows, columns


def is_dilated(op: Op) -> bool:
    """Whether the taps lie apart."""
    return dilation_of(op) != (1, 1)


def dilated_call(graph: Graph, op: Op, window: Window, multiplier: int) -> Call:
    """Call the kernel; ``multiplier`` is of a depthwise convolution, 0 for a dense one."""
    weights = constant_values(graph.tensors[op.inputs[1]])
    channels = weights.shape[3] if multiplier else weights.shape[0]
    apart = dilation_of(op)
    fields: dict[str, Value] = {
        "window": window.value,
        "rows": weights.shape[1],
        "columns": weights.shape[2],
        "dilation_h": apart[0],
        "dilation_w": apart[1],
    }
    fields |= {"multiplier": multiplier} if multiplier else {}
    fields |= {"weights": Array("weights", weights)}
    name = "dilated_depthwise_conv_2d" if multiplier else "dilated_conv_2d"
    params = "DilatedDepthwiseConv2D" if multiplier else "DilatedConv2D"
    if weights.dtype == np.float32:
        fields |= convolution.float_fields(graph, op, channels)
        params += "Float"
    else:
        flat = weights.reshape(-1, channels).T if multiplier else weights.reshape(channels, -1)
        scales = convolution.effective_scales(graph, op)
        fields |= convolution.int8_fields(
            graph, op, flat.astype(np.int64), scales, folds=False
        ).fields
        params += "Int8"
    return Call(name, "dilated.hpp", params, fields, op.inputs[:1], op.outputs[0])
