"""What ADD, SUB and MUL share: two operands that broadcast, a fused activation, one kernel each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from codegen.arithmetic.fixed_point import Codes, activation_range, zero_point_of
from codegen.ir import Graph, Op
from codegen.ops.base import Call, Operator, activation_of, float_range, output_of
from codegen.ops.broadcast import (
    broadcast_value,
    check_broadcast,
    constant_bytes,
    full_operands,
)


class Binary(Operator):
    """An element-wise operator by ``kernel``, whose parameters are ``<struct>Int8`` or ``Float``."""

    kernel: str
    struct: str

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse operands that do not broadcast."""
        check_broadcast(graph, op)

    @abstractmethod
    def multipliers(self, graph: Graph, op: Op) -> dict[str, int]:
        """Multipliers and exponents, named and ordered as in the int8 struct."""

    @abstractmethod
    def evaluate(self, graph: Graph, op: Op, a: Codes, b: Codes) -> Codes:
        """The int8 result for codes of both operands, as the kernel computes it."""

    def parameters(self, graph: Graph, op: Op) -> dict[str, int]:
        """Multipliers, zero points and clamps, named and ordered as in the int8 struct."""
        first, second = (graph.tensors[i] for i in op.inputs)
        output = output_of(graph, op)
        low, high = activation_range(activation_of(op), output)
        return self.multipliers(graph, op) | {
            "zero_point_a": zero_point_of(first),
            "zero_point_b": zero_point_of(second),
            "zero_point": zero_point_of(output),
            "low": low,
            "high": high,
        }

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call the kernel."""
        loops = {"broadcast": broadcast_value(graph, op)}
        if output_of(graph, op).dtype == "float32":
            low, high = float_range(activation_of(op))
            params, fields = f"{self.struct}Float", loops | {"low": low, "high": high}
            kernel = self.kernel
        else:
            values = self.parameters(graph, op)
            params, fields = f"{self.struct}Int8", loops | values
            kernel = self.int8_kernel(graph, op, values)
        return Call(kernel, f"{self.kernel}.hpp", params, fields, op.inputs, op.outputs[0])

    def int8_kernel(self, graph: Graph, op: Op, values: Mapping[str, int]) -> str:
        """The C++ function, for operators that have several; ``values`` are its parameters."""
        return self.kernel

    def in_place(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Operands of the output's shape."""
        return full_operands(graph, op)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Bytes of constant operands, or of the table."""
        return constant_bytes(graph, op)
