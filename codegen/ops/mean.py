"""MEAN over height and width, as squeeze-and-excitation and global pooling need it, or over time."""

from __future__ import annotations

from codegen.arithmetic.fixed_point import quantize_multiplier, scale_of, zero_point_of
from codegen.ir import Graph, ModelError, Op
from codegen.ops.base import (
    Call,
    Operator,
    constant_values,
    output_of,
    require,
)
from codegen.ops.reduction import check_reduction

FEWEST_CHANNELS = 4  # what the fast kernel takes


class Mean(Operator):
    """Sums of each channel's centred codes, scaled once by the ratio of scales over the area."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse axes that do not lie side by side, before those that are kept."""
        check_reduction(graph, op)
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        area = source.elements // output.elements
        require(area < 1 << 23, source, "sums of more than 2^23 codes may overflow")
        if source.dtype == "int8" and None in (source.quantization, output.quantization):
            raise ModelError("int8 activations need a scale")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``mean``."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        constant_values(graph.tensors[op.inputs[1]])
        channels = output.elements
        area = source.elements // channels
        if source.dtype == "float32":
            fields = {"area": area, "channels": channels}
            return Call("mean", "mean.hpp", "MeanFloat", fields, op.inputs[:1], op.outputs[0])
        multiplier, exponent = quantize_multiplier(
            float(scale_of(source)) / float(scale_of(output))
        )
        # The division by the area goes into the multiplier, which keeps its 31 bits that way.
        shift = min(area.bit_length() - 1, 32, 31 + exponent)
        fields = {
            "area": area,
            "channels": channels,
            "multiplier": (multiplier << shift) // area,
            "exponent": exponent - shift,
            "offset": -zero_point_of(source) * area,
            "zero_point": zero_point_of(output),
        }
        kernel = "mean" if channels >= FEWEST_CHANNELS else "mean_any"
        return Call(kernel, "mean.hpp", "MeanInt8", fields, op.inputs[:1], op.outputs[0])


OPERATOR = Mean()
