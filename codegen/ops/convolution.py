"""What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED share: bias, scales and clamps.

The input's zero point is folded into the bias, bias' = bias - zero_point * (sum of the output
channel's weights), so that inner loops are plain dot products of codes. Where the window leaves
the image the kernels put the zero point itself in place of the missing codes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from codegen.fixed_point import (
    activation_range,
    quantize_multiplier,
    scale_of,
    wrap_int32,
    zero_point_of,
)
from codegen.ir import Graph, ModelError, Op, Tensor
from codegen.ops.base import (
    Array,
    Value,
    activation_of,
    constant_values,
    float_range,
    output_of,
    require,
)

BIAS, TABLE = 2, 3  # positions among the inputs; the table is the simplifier's


def check_weights(graph: Graph, op: Op, channels: int, axis: int, shape: tuple[int, ...]) -> None:
    """Check weights, bias and scales of an operator with ``channels`` outputs.

    ``axis`` is the weights' axis of output channels, ``shape`` what the weights must be.
    """
    source, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
    require(weights.constant, weights, "weights must be constant")
    require(weights.dtype == source.dtype, weights, f"weights must be {source.dtype}")
    require(weights.shape == shape, weights, f"weights must be {shape}")
    taps = weights.elements // channels
    require(taps <= 1 << 16, weights, "sums of more than 2^16 products may overflow")
    bias = _bias(graph, op)
    if bias is not None:
        dtype = "int32" if source.dtype == "int8" else "float32"
        require(bias.constant and bias.dtype == dtype, bias, f"bias must be constant {dtype}")
        require(bias.elements == channels, bias, f"bias must have {channels} elements")
    activation_of(op)
    quantization = weights.quantization
    if source.dtype != "int8" or quantization is None:
        return
    count = len(quantization.scales)
    require(
        count == 1 or (count == channels and quantization.axis == axis),
        weights,
        f"needs 1 scale, or {channels} along axis {axis}; got {count} along {quantization.axis}",
    )
    require(not any(quantization.zero_points), weights, "zero points of weights must be 0")
    require(min(quantization.scales) >= 0, weights, "scales must not be negative")
    for tensor in (source, output_of(graph, op)):
        require(tensor.quantization is not None, tensor, "int8 activations need a scale")


def scaled_output(graph: Graph, op: Op) -> Tensor:
    """The tensor to whose scale the accumulators are brought.

    It is the output, or, where a look-up table was fused into the operator, the tensor that the
    table took its place: the option ``scaled_to`` holds its index.
    """
    return graph.tensors[int(op.options.get("scaled_to", op.outputs[0]))]


def effective_scales(graph: Graph, op: Op) -> list[float]:
    """Real factor from accumulator to code, per output channel or one for all."""
    source, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
    output = scaled_output(graph, op)
    if weights.quantization is None:
        raise ModelError(f"tensor {weights.name!r}: int8 weights need scales")
    return [
        float(scale_of(source)) * float(np.float32(scale)) / float(scale_of(output))
        for scale in weights.quantization.scales
    ]


def int8_fields(
    graph: Graph, op: Op, weights: npt.NDArray[np.int64], scales: Sequence[float]
) -> dict[str, Value]:
    """The member ``to``, a ``Requantization``; ``weights`` is (channels, weights of each)."""
    source, scaled = graph.tensors[op.inputs[0]], scaled_output(graph, op)
    channels = len(weights)
    bias_tensor = _bias(graph, op)
    bias = np.zeros(channels, np.int64)
    if bias_tensor is not None:
        bias = constant_values(bias_tensor).astype(np.int64).reshape(-1)
    folded = wrap_int32(bias - zero_point_of(source) * weights.sum(axis=1))
    pairs = [quantize_multiplier(scale) for scale in scales]
    if len(pairs) == 1:
        pairs *= channels
    table = graph.tensors[op.inputs[TABLE]] if len(op.inputs) > TABLE else None
    low, high = activation_range(activation_of(op), scaled)
    return {
        "to": {
            "bias": Array("bias", folded.astype(np.int32)),
            "multipliers": Array("multipliers", np.array([m for m, _ in pairs], np.int32)),
            "exponents": Array("exponents", np.array([e for _, e in pairs], np.int8)),
            "table": Array("table", constant_values(table)) if table else None,
            "input_zero_point": zero_point_of(source),
            "output_zero_point": zero_point_of(scaled),
            "low": low,
            "high": high,
        }
    }


def float_fields(graph: Graph, op: Op, channels: int) -> dict[str, Value]:
    """Bias and clamps of a float convolution."""
    bias = _bias(graph, op)
    values = np.zeros(channels, np.float32) if bias is None else constant_values(bias).reshape(-1)
    low, high = float_range(activation_of(op))
    return {"bias": Array("bias", values), "low": low, "high": high}


def constant_bytes(graph: Graph, op: Op, channels: int) -> int:
    """Bytes of weights, bias, multipliers, exponents and table."""
    weights = graph.tensors[op.inputs[1]]
    if weights.dtype == "float32":
        return weights.size_bytes + 4 * channels
    return weights.size_bytes + 9 * channels + (256 if len(op.inputs) > TABLE else 0)


def _bias(graph: Graph, op: Op) -> Tensor | None:
    present = len(op.inputs) > BIAS and op.inputs[BIAS] >= 0
    return graph.tensors[op.inputs[BIAS]] if present else None
