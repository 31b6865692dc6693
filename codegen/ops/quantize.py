"""QUANTIZE from int8 to int8, another scale and zero point, or from float32 to int8."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codegen.arithmetic.fixed_point import (
    Codes,
    multiply,
    quantize_multiplier,
    scale_of,
    to_int8,
    zero_point_of,
)
from codegen.ir import Graph, Op, Tensor
from codegen.ops.base import (
    Call,
    Operator,
    output_of,
    require,
    require_inputs,
    require_one_scale,
)
from codegen.ops.unary import TABLE_BYTES, Unary


class Quantize(Unary):
    """Rescaling, code by code; reals are divided by the scale and rounded."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse other types and a change of shape."""
        require_inputs(op, 1, 1)
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        if source.dtype == "int8":
            super().check(graph, op)
        else:
            check_boundary(graph, op)
        require(output.dtype == "int8", output, "must be int8")

    def evaluate(self, graph: Graph, op: Op, codes: Codes) -> Codes:
        """One multiplication by the ratio of scales."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        ratio = float(scale_of(source)) / float(scale_of(output))
        scaled = multiply(codes - zero_point_of(source), *quantize_multiplier(ratio))
        return to_int8(scaled + zero_point_of(output)).astype("int64")

    def tabulates(self, graph: Graph, op: Op) -> bool:
        """Whether it works on codes."""
        return graph.tensors[op.inputs[0]].dtype == "int8"

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``quantize`` on reals."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        require(source.dtype == "float32", source, "int8 graphs must be simplified first")
        fields = {
            "count": output.elements,
            "scale": float(scale_of(output)),
            "zero_point": zero_point_of(output),
        }
        return Call("quantize", "quantize.hpp", "Quantize", fields, op.inputs, op.outputs[0])

    def in_place(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Its operand, if it has codes."""
        return (0,) if self.tabulates(graph, op) else ()

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """One table for codes."""
        return TABLE_BYTES if self.tabulates(graph, op) else 0


class Dequantize(Operator):
    """From int8 to float32: real = scale * (code - zero point)."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse other types and a change of shape."""
        require_inputs(op, 1, 1)
        check_boundary(graph, op)
        output = output_of(graph, op)
        require(output.dtype == "float32", output, "must be float32")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``dequantize``."""
        source = graph.tensors[op.inputs[0]]
        fields = {
            "count": source.elements,
            "scale": float(scale_of(source)),
            "zero_point": zero_point_of(source),
        }
        return Call("dequantize", "quantize.hpp", "Quantize", fields, op.inputs, op.outputs[0])


def check_boundary(graph: Graph, op: Op) -> None:
    """One side has int8 codes and a scale, the other float32 reals, both the same shape."""
    source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
    require(not source.constant, source, "must not be constant")
    require(not output.constant, output, "the output of an operator cannot be a constant")
    require(source.shape == output.shape, output, f"must be {source.shape}")
    dtypes = {source.dtype, output.dtype}
    require(dtypes == {"int8", "float32"}, source, f"cannot become {output.dtype}")
    for tensor in (source, output):
        if tensor.dtype == "int8":
            require_one_scale(tensor)


def to_reals(tensor: Tensor, codes: Codes) -> npt.NDArray[np.float32]:
    """What the kernel makes of codes of ``tensor``."""
    centred = (codes - zero_point_of(tensor)).astype(np.float32)
    reals: npt.NDArray[np.float32] = centred * scale_of(tensor)
    return reals


def to_codes(tensor: Tensor, reals: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """What the kernel makes of reals, as codes of ``tensor``."""
    steps = np.nan_to_num((reals / scale_of(tensor)).astype(np.float32)).astype(np.float64)
    nearest = np.trunc(steps + np.copysign(0.5, steps))  # exact: double precision holds the sum
    return to_int8(nearest.clip(-512, 512).astype(np.int64) + zero_point_of(tensor))


QUANTIZE = Quantize()
DEQUANTIZE = Dequantize()
