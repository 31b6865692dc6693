"""What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED share: bias, scales and clamps.

The input's zero point is folded into the bias, bias' = bias - zero_point * (sum of the output
channel's weights), so that inner loops are plain dot products of codes. Where the window leaves
the image the kernels put the zero point itself in place of the missing codes.

Kernels come twice: ``conv_2d_any`` takes all that ``check`` lets pass, ``conv_2d`` only what is
proved here of the weights at hand (``runtime/kernels/params.hpp`` lists it), which real networks
fulfil.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codegen.arithmetic.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    LARGEST_SHIFT,
    activation_range,
    all_codes,
    is_fraction,
    quantize_multiplier,
    scale_of,
    to_int8,
    wrap_int32,
    zero_point_of,
)
from codegen.ir import Graph, ModelError, Op, Tensor
from codegen.ops.base import (
    LARGEST_SCALE,
    Array,
    Value,
    activation_of,
    constant_values,
    float_range,
    output_of,
    require,
)

BIAS, TABLE = 2, 3  # positions among the inputs; the table is the simplifier's
WORD_BYTES = 4
SAFE_TAPS = 1 << 16  # products of any codes whose sum stays within int32
LARGEST_SUM = 1 << 30  # accumulators that the fast kernels take, in magnitude
TINY_SUM = 1 << 22  # smaller ones, shifted by more than LARGEST_SHIFT, give 0


def check_weights(graph: Graph, op: Op, channels: int, axis: int, shape: tuple[int, ...]) -> None:
    """Check weights, bias and scales of an operator with ``channels`` outputs.

    ``axis`` is the weights' axis of output channels, ``shape`` what the weights must be.
    """
    source, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
    require(weights.constant, weights, "weights must be constant")
    require(weights.dtype == source.dtype, weights, f"weights must be {source.dtype}")
    require(weights.shape == shape, weights, f"weights must be {shape}")
    taps = weights.elements // channels
    require(
        taps <= SAFE_TAPS or _sums_fit(weights, axis),
        weights,
        f"sums of more than {SAFE_TAPS} products may overflow",
    )
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
    sane = min(quantization.scales) >= 0 and max(quantization.scales) <= LARGEST_SCALE
    require(sane, weights, f"scales must be 0 to {LARGEST_SCALE}")
    for tensor in (source, output_of(graph, op)):
        require(tensor.quantization is not None, tensor, "int8 activations need a scale")


def _sums_fit(weights: Tensor, axis: int) -> bool:
    """Whether no sum of products with any codes, centred by any zero point, leaves 31 bits."""
    if weights.data is None or weights.dtype != "int8":
        return weights.dtype == "float32"
    others = tuple(i for i in range(len(weights.shape)) if i != axis)
    sums = np.abs(weights.data.astype(np.int64)).sum(axis=others)
    return bool((255 * sums < LARGEST_SUM).all())


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
    source_scale, output_scale = float(scale_of(source)), float(scale_of(output))
    return [
        source_scale * float(np.float32(scale)) / output_scale
        for scale in weights.quantization.scales
    ]


@dataclass(frozen=True)
class Int8Fields:
    """The member ``to``, a ``Requantization``, and whether the fast kernels may be called."""

    fields: dict[str, Value]
    proved: bool

    def kernel(self, name: str, *, fits: bool = True) -> str:
        """The fast kernel, or the one for all cases."""
        return name if self.proved and fits else f"{name}_any"


def int8_fields(
    graph: Graph,
    op: Op,
    weights: npt.NDArray[np.int64],
    scales: Sequence[float],
    *,
    folds: bool = True,
) -> Int8Fields:
    """Bias, scales and clamps; ``weights`` is (channels, weights of each).

    Unless it ``folds``, the kernel subtracts the input's zero point itself.
    """
    source, scaled = graph.tensors[op.inputs[0]], scaled_output(graph, op)
    channels = len(weights)
    bias_tensor = _bias(graph, op)
    bias = np.zeros(channels, np.int64)
    if bias_tensor is not None:
        bias = constant_values(bias_tensor).astype(np.int64).reshape(-1)
    offset = zero_point_of(source) if folds else 0
    folded = wrap_int32(bias - offset * weights.sum(axis=1))
    pairs = [quantize_multiplier(scale) for scale in scales]
    if len(pairs) == 1:
        pairs *= channels
    multipliers = np.array([m for m, _ in pairs], np.int64)
    shifts = np.array([-e for _, e in pairs], np.int64)
    largest = np.abs(folded) + 128 * np.abs(weights).sum(axis=1)
    dead = (shifts > LARGEST_SHIFT) & (largest < TINY_SUM)  # the result is 0, then as before
    multipliers[dead], shifts[dead] = 1 << 30, LARGEST_SHIFT
    proved = bool((largest < LARGEST_SUM).all()) and all(
        is_fraction(int(m), -int(s)) for m, s in zip(multipliers, shifts, strict=True)
    )
    table = graph.tensors[op.inputs[TABLE]] if len(op.inputs) > TABLE else None
    codes = None if table is None else constant_values(table).reshape(-1)
    low, high = activation_range(activation_of(op), scaled)
    if proved and (low, high) != (INT8_MIN, INT8_MAX):
        clamped = to_int8(all_codes().clip(low, high))
        codes = clamped if codes is None else codes[clamped.astype(np.int64) - INT8_MIN]
        low, high = INT8_MIN, INT8_MAX
    fields: dict[str, Value] = {
        "to": {
            "scales": Array("scales", np.stack([folded, multipliers], axis=1).astype(np.int32)),
            "shifts": Array("shifts", shifts.astype(np.int8)),
            "table": None if codes is None else Array("table", codes),
            "input_zero_point": zero_point_of(source),
            "output_zero_point": zero_point_of(scaled),
            "low": low,
            "high": high,
        }
    }
    return Int8Fields(fields, proved)


def padding_bytes(weights: Tensor) -> int:
    """Zeros behind the weights, so that those of the last output channel can be read by words."""
    return -(weights.size_bytes // weights.shape[0]) % WORD_BYTES


def padded(weights: Tensor) -> Array:
    """The weights, (out, ...), with that padding."""
    values, padding = constant_values(weights), padding_bytes(weights)
    return Array("weights", np.pad(values.reshape(-1), (0, padding)) if padding else values)


def float_fields(graph: Graph, op: Op, channels: int) -> dict[str, Value]:
    """Bias and clamps of a float convolution."""
    bias = _bias(graph, op)
    values = np.zeros(channels, np.float32) if bias is None else constant_values(bias).reshape(-1)
    low, high = float_range(activation_of(op))
    return {"bias": Array("bias", values), "low": low, "high": high}


def constant_bytes(graph: Graph, op: Op, channels: int, padding: int) -> int:
    """Bytes of weights, ``padding``, bias, multipliers, shifts and table."""
    weights = graph.tensors[op.inputs[1]]
    if weights.dtype == "float32":
        return weights.size_bytes + 4 * channels
    table = 256 if len(op.inputs) > TABLE or _narrow(graph, op) else 0
    return weights.size_bytes + padding + 9 * channels + table


def _narrow(graph: Graph, op: Op) -> bool:
    """Whether the fused activation clamps codes, which then takes a table."""
    scaled = scaled_output(graph, op)
    if scaled.quantization is None:
        return False
    return activation_range(activation_of(op), scaled) != (INT8_MIN, INT8_MAX)


def _bias(graph: Graph, op: Op) -> Tensor | None:
    present = len(op.inputs) > BIAS and op.inputs[BIAS] >= 0
    return graph.tensors[op.inputs[BIAS]] if present else None
