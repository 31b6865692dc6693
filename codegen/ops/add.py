"""ADD, with broadcasting and a fused activation."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.arithmetic.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    Codes,
    is_fraction,
    multiply,
    quantize_multiplier,
    scale_of,
    to_int8,
)
from codegen.ir import Graph, Op
from codegen.ops.base import output_of
from codegen.ops.binary import Binary
from codegen.ops.broadcast import side_by_side

LEFT_SHIFT = 20  # operands are scaled up by 2^20 before they are brought to a common scale
HALF = (1 << 30, 0)  # the factor of the operand with the larger scale, as multiplier and exponent


class Add(Binary):
    """Both operands are brought to twice the larger scale, added, and scaled to the output."""

    kernel, struct = "add", "Add"

    def multipliers(self, graph: Graph, op: Op) -> dict[str, int]:
        """In double precision, as TensorFlow Lite Micro takes them."""
        a, b = (float(scale_of(graph.tensors[i])) for i in op.inputs)
        common = 2 * max(a, b)
        output = (1 << LEFT_SHIFT) * float(scale_of(output_of(graph, op)))
        return named(a / common, b / common, common / output)

    def int8_kernel(self, graph: Graph, op: Op, values: Mapping[str, int]) -> str:
        """The fast one, where what ``AddInt8`` asks for it is proved."""
        return "add" if side_by_side(graph, op) and _proved(values) else "add_any"

    def evaluate(self, graph: Graph, op: Op, a: Codes, b: Codes) -> Codes:
        """The sum of both, scaled to a common scale."""
        p = self.parameters(graph, op)
        first, second = to_common_scale(p, a, b)
        total = multiply(first + second, p["multiplier"], p["exponent"]) + p["zero_point"]
        return to_int8(total.clip(p["low"], p["high"])).astype("int64")


def _proved(values: Mapping[str, int]) -> bool:
    """What ``AddInt8`` says of the fast kernel; sums are below 2^30 for any operands."""
    operands = [(values["multiplier_a"], values["exponent_a"])]
    operands += [(values["multiplier_b"], values["exponent_b"])]
    return (
        HALF in operands
        and all(pair == HALF or is_fraction(*pair) for pair in operands)
        and is_fraction(values["multiplier"], values["exponent"])
        and (values["low"], values["high"]) == (INT8_MIN, INT8_MAX)
    )


def named(a: float, b: float, output: float) -> dict[str, int]:
    """Multipliers and exponents of three real factors, named and ordered as in ``AddInt8``."""
    (multiplier_a, exponent_a), (multiplier_b, exponent_b), (multiplier, exponent) = (
        quantize_multiplier(real) for real in (a, b, output)
    )
    return {
        "multiplier_a": multiplier_a,
        "multiplier_b": multiplier_b,
        "multiplier": multiplier,
        "exponent_a": exponent_a,
        "exponent_b": exponent_b,
        "exponent": exponent,
    }


def to_common_scale(p: dict[str, int], a: Codes, b: Codes) -> tuple[Codes, Codes]:
    """Both operands, centred and brought to twice the larger scale."""
    return (
        multiply((a - p["zero_point_a"]) << LEFT_SHIFT, p["multiplier_a"], p["exponent_a"]),
        multiply((b - p["zero_point_b"]) << LEFT_SHIFT, p["multiplier_b"], p["exponent_b"]),
    )


OPERATOR = Add()
