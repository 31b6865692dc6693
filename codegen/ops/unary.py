"""Operators of one operand, code by code: in int8 each is a table of 256 codes.

``evaluate`` is what TensorFlow Lite Micro's reference kernel computes; the simplifier turns every
int8 operator of this kind into a LOOKUP. In float32 each is a small kernel.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from codegen.arithmetic.fixed_point import Codes
from codegen.ir import Graph, ModelError, Op
from codegen.ops.base import (
    Call,
    Operator,
    Value,
    output_of,
    require,
    require_activations,
    require_inputs,
)

TABLE_BYTES = 256


class Unary(Operator):
    """An operator whose output code depends on one input code only."""

    kernel = ""
    bounds: tuple[float, float] | None = None  # of a float clamp

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse a change of shape."""
        require_inputs(op, 1, 1)
        require_activations(graph, op)
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        require(source.shape == output.shape, output, f"must be {source.shape}")
        if source.dtype == "int8" and None in (source.quantization, output.quantization):
            raise ModelError("int8 activations need a scale")

    def tabulates(self, graph: Graph, op: Op) -> bool:
        """Whether the operator is a table of codes."""
        return output_of(graph, op).dtype == "int8"

    @abstractmethod
    def evaluate(self, graph: Graph, op: Op, codes: Codes) -> Codes:
        """The int8 output codes for int8 input codes."""

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call the float kernel; in int8 the simplifier has made a LOOKUP of the operator."""
        fields: dict[str, Value] = {"count": output_of(graph, op).elements}
        params = "UnaryFloat"
        if self.bounds is not None:
            params = "ClampFloat"
            fields |= {"low": self.bounds[0], "high": self.bounds[1]}
        return self.float_call(graph, op, self.kernel, params, fields)

    def float_call(
        self, graph: Graph, op: Op, kernel: str, params: str, fields: Mapping[str, Value]
    ) -> Call:
        """The call of a kernel of ``unary.hpp``."""
        output = output_of(graph, op)
        require(output.dtype == "float32", output, "int8 graphs must be simplified first")
        return Call(kernel, "unary.hpp", params, fields, op.inputs, op.outputs[0])

    def in_place(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Its operand."""
        return (0,)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """One table in int8."""
        return TABLE_BYTES if self.tabulates(graph, op) else 0
