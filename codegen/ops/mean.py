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
    require_activations,
    require_inputs,
)

MOST_AXES = 4
FEWEST_CHANNELS = 4  # what the fast kernel takes


class Mean(Operator):
    """Sums of each channel's centred codes, scaled once by the ratio of scales over the area."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse axes that do not lie side by side, before those that are kept."""
        require_inputs(op, 2, 2)
        require_activations(graph, op)
        source, axes = (graph.tensors[i] for i in op.inputs)
        require(0 < len(source.shape) <= MOST_AXES, source, f"must have 1 to {MOST_AXES} axes")
        require(source.shape[0] == 1, source, "must have a batch of one")
        require(axes.constant and axes.dtype == "int32", axes, "axes must be constant int32")
        require(1 <= axes.elements <= MOST_AXES, axes, f"must name 1 to {MOST_AXES} axes")
        output = output_of(graph, op)
        area = source.elements // output.elements
        require(area < 1 << 23, source, "sums of more than 2^23 codes may overflow")
        if axes.data is not None:
            given = axes.data.reshape(-1).tolist()
            rank = len(source.shape)
            require(all(-rank <= axis < rank for axis in given), axes, f"no such axes: {given}")
            reduced = {axis % rank for axis in given}
            kept = [i for i, side in enumerate(source.shape) if side > 1 and i not in reduced]
            first = kept[0] if kept else rank
            require(
                all(axis < first or source.shape[axis] == 1 for axis in reduced),
                axes,
                f"must name the axes before those that are kept, as [1, 2] of an image; got {given}",
            )
            sides = [1 if i in reduced else side for i, side in enumerate(source.shape)]
            shapes = tuple(sides), tuple(s for i, s in enumerate(sides) if i not in reduced)
            require(output.shape in shapes, output, f"must be {shapes[0]} or {shapes[1]}")
        require(source.elements == area * output.elements, output, "does not follow")
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
