"""ADD, with broadcasting and a fused activation."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    Codes,
    activation_range,
    is_fraction,
    multiply,
    quantize_multiplier,
    scale_of,
    to_int8,
    zero_point_of,
)
from codegen.ir import Graph, Op
from codegen.ops.base import Call, Operator, activation_of, float_range, output_of
from codegen.ops.broadcast import (
    broadcast_value,
    check_broadcast,
    constant_bytes,
    full_operands,
    side_by_side,
)

LEFT_SHIFT = 20  # operands are scaled up by 2^20 before they are brought to a common scale
HALF = (1 << 30, 0)  # the factor of the operand with the larger scale, as multiplier and exponent


class Add(Operator):
    """Both operands are brought to twice the larger scale, added, and scaled to the output."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse operands that do not broadcast."""
        check_broadcast(graph, op)

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``add``."""
        loops = {"broadcast": broadcast_value(graph, op)}
        if output_of(graph, op).dtype == "float32":
            low, high = float_range(activation_of(op))
            kernel, params, fields = "add", "AddFloat", loops | {"low": low, "high": high}
        else:
            values = parameters(graph, op)
            kernel = "add" if side_by_side(graph, op) and _proved(values) else "add_any"
            params, fields = "AddInt8", loops | values
        return Call(kernel, "add.hpp", params, fields, op.inputs, op.outputs[0])

    def in_place(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Operands of the output's shape."""
        return full_operands(graph, op)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Bytes of constant operands, or of the table."""
        return constant_bytes(graph, op)


def parameters(graph: Graph, op: Op) -> dict[str, int]:
    """Zero points, multipliers and clamps, named and ordered as in ``AddInt8``."""
    first, second = (graph.tensors[i] for i in op.inputs)
    output = output_of(graph, op)
    common = 2 * float(max(scale_of(first), scale_of(second)))
    multiplier_a, exponent_a = quantize_multiplier(float(scale_of(first)) / common)
    multiplier_b, exponent_b = quantize_multiplier(float(scale_of(second)) / common)
    multiplier, exponent = quantize_multiplier(
        common / ((1 << LEFT_SHIFT) * float(scale_of(output)))
    )
    low, high = activation_range(activation_of(op), output)
    return {
        "multiplier_a": multiplier_a,
        "multiplier_b": multiplier_b,
        "multiplier": multiplier,
        "exponent_a": exponent_a,
        "exponent_b": exponent_b,
        "exponent": exponent,
        "zero_point_a": zero_point_of(first),
        "zero_point_b": zero_point_of(second),
        "zero_point": zero_point_of(output),
        "low": low,
        "high": high,
    }


def _proved(values: Mapping[str, int]) -> bool:
    """What ``AddInt8`` says of the fast kernel; sums are below 2^30 for any operands."""
    operands = [(values["multiplier_a"], values["exponent_a"])]
    operands += [(values["multiplier_b"], values["exponent_b"])]
    return (
        all(pair == HALF or is_fraction(*pair) for pair in operands)
        and is_fraction(values["multiplier"], values["exponent"])
        and (values["low"], values["high"]) == (INT8_MIN, INT8_MAX)
    )


def evaluate(graph: Graph, op: Op, a: Codes, b: Codes) -> Codes:
    """The int8 result for codes of both operands, as the kernel computes it."""
    p = parameters(graph, op)
    a = multiply((a - p["zero_point_a"]) << LEFT_SHIFT, p["multiplier_a"], p["exponent_a"])
    b = multiply((b - p["zero_point_b"]) << LEFT_SHIFT, p["multiplier_b"], p["exponent_b"])
    total = multiply(a + b, p["multiplier"], p["exponent"]) + p["zero_point"]
    return to_int8(total.clip(p["low"], p["high"])).astype("int64")


OPERATOR = Add()
