"""PAD and PADV2 of images: rows, columns and channels of one value."""

from __future__ import annotations

from itertools import pairwise

from codegen.arithmetic.fixed_point import zero_point_of
from codegen.ir import Graph, ModelError, Op
from codegen.ops.base import (
    Call,
    Operator,
    Value,
    constant_values,
    image_shape,
    output_of,
    require,
    require_activations,
    require_inputs,
)
from codegen.ops.sweep import Sweep


class Pad(Operator):
    """Copy the image into a larger one that is filled with the output's zero or a given value."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse negative padding and padding of the batch."""
        require_inputs(op, 2, 3)
        require_activations(graph, op)
        source, amounts, output = (
            graph.tensors[op.inputs[0]],
            graph.tensors[op.inputs[1]],
            output_of(graph, op),
        )
        require(amounts.constant and amounts.dtype == "int32", amounts, "must be constant int32")
        require(amounts.shape == (4, 2), amounts, "must be (4, 2)")
        image_shape(source)
        image_shape(output)
        if len(op.inputs) == 3:
            value = graph.tensors[op.inputs[2]]
            require(value.constant and value.elements == 1, value, "must be a constant scalar")
            require(value.dtype == source.dtype, value, f"must be {source.dtype}")
        if source.dtype == "int8" and output.quantization is None:
            raise ModelError("int8 activations need a scale")
        if amounts.data is None:
            return
        before_after = padding_of(graph, op)
        require(min(min(pair) for pair in before_after) >= 0, amounts, "must not be negative")
        expected = tuple(
            side + sum(pair) for side, pair in zip(source.shape, before_after, strict=True)
        )
        require(output.shape == expected, output, f"must be {expected}")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``pad``."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        (top, _), (left, _), (front, _) = padding_of(graph, op)[1:]
        fields: dict[str, Value] = {
            "input": image_shape(source),
            "output": image_shape(output),
            "top": top,
            "left": left,
            "front": front,
            "value": fill_value(graph, op),
        }
        params = "PadFloat" if output.dtype == "float32" else "PadInt8"
        return Call("pad", "pad.hpp", params, fields, op.inputs[:1], op.outputs[0])

    def sweep(self, graph: Graph, op: Op, position: int) -> Sweep | None:
        """Row by row; unknown without the amounts."""
        if position != 0 or graph.tensors[op.inputs[1]].data is None:
            return None
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        height, top = source.shape[1], padding_of(graph, op)[1][0]
        starts = [min(max(y - top, 0), height) for y in range(output.shape[1] + 1)]
        return Sweep(
            tuple(pairwise(starts)),
            source.size_bytes // height,
            output.size_bytes // output.shape[1],
        )


def padding_of(graph: Graph, op: Op) -> list[tuple[int, int]]:
    """(before, after) for each of the four axes."""
    rows = constant_values(graph.tensors[op.inputs[1]]).reshape(4, 2).tolist()
    return [(int(before), int(after)) for before, after in rows]


def fill_value(graph: Graph, op: Op) -> int | float:
    """The code, or the real, that fills."""
    output = output_of(graph, op)
    if len(op.inputs) == 3:
        value = constant_values(graph.tensors[op.inputs[2]]).reshape(-1)[0].item()
        return float(value) if output.dtype == "float32" else int(value)
    return 0.0 if output.dtype == "float32" else zero_point_of(output)


OPERATOR = Pad()
