"""MUL, with broadcasting and a fused activation."""

from __future__ import annotations

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


class Mul(Operator):
    """The product of the centred codes is scaled once."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse operands that do not broadcast."""
        check_broadcast(graph, op)

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``mul``."""
        loops = {"broadcast": broadcast_value(graph, op)}
        if output_of(graph, op).dtype == "float32":
            low, high = float_range(activation_of(op))
            kernel, params, fields = "mul", "MulFloat", loops | {"low": low, "high": high}
        else:
            values = parameters(graph, op)
            proved = (
                side_by_side(graph, op)
                and is_fraction(values["multiplier"], values["exponent"])
                and (values["low"], values["high"]) == (INT8_MIN, INT8_MAX)
            )
            kernel = "mul" if proved else "mul_any"
            params, fields = "MulInt8", loops | values
        return Call(kernel, "mul.hpp", params, fields, op.inputs, op.outputs[0])

    def in_place(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Operands of the output's shape."""
        return full_operands(graph, op)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Bytes of constant operands, or of the table."""
        return constant_bytes(graph, op)


def parameters(graph: Graph, op: Op) -> dict[str, int]:
    """Zero points, multiplier and clamps, named and ordered as in ``MulInt8``."""
    first, second = (graph.tensors[i] for i in op.inputs)
    output = output_of(graph, op)
    multiplier, exponent = quantize_multiplier(
        float(scale_of(first)) * float(scale_of(second)) / float(scale_of(output))
    )
    low, high = activation_range(activation_of(op), output)
    return {
        "multiplier": multiplier,
        "exponent": exponent,
        "zero_point_a": zero_point_of(first),
        "zero_point_b": zero_point_of(second),
        "zero_point": zero_point_of(output),
        "low": low,
        "high": high,
    }


def evaluate(graph: Graph, op: Op, a: Codes, b: Codes) -> Codes:
    """The int8 result for codes of both operands, as the kernel computes it."""
    p = parameters(graph, op)
    product = (a - p["zero_point_a"]) * (b - p["zero_point_b"])
    scaled = multiply(product, p["multiplier"], p["exponent"]) + p["zero_point"]
    return to_int8(scaled.clip(p["low"], p["high"])).astype("int64")


OPERATOR = Mul()
