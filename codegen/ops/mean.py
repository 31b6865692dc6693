"""MEAN over height and width, as squeeze-and-excitation and global pooling need it."""

from __future__ import annotations

from codegen.fixed_point import quantize_multiplier, scale_of, zero_point_of
from codegen.ir import Graph, ModelError, Op
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

FEWEST_CHANNELS = 4  # what the fast kernel takes


class Mean(Operator):
    """Sums of each channel's centred codes, scaled once by the ratio of scales over the area."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse other axes than 1 and 2."""
        require_inputs(op, 2, 2)
        require_activations(graph, op)
        source, axes = (graph.tensors[i] for i in op.inputs)
        height, width, channels = image_shape(source)
        require(axes.constant and axes.dtype == "int32", axes, "axes must be constant int32")
        if axes.data is not None:
            given = sorted({int(axis) % 4 for axis in axes.data.reshape(-1)})
            require(given == [1, 2], axes, f"axes must be 1 and 2; got {axes.data.tolist()}")
        require(height * width < 1 << 23, source, "sums of more than 2^23 codes may overflow")
        output = output_of(graph, op)
        require(output.shape in ((1, 1, 1, channels), (1, channels)), output, "does not follow")
        if source.dtype == "int8" and None in (source.quantization, output.quantization):
            raise ModelError("int8 activations need a scale")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``mean``."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        height, width, channels = image_shape(source)
        constant_values(graph.tensors[op.inputs[1]])
        area = height * width
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
