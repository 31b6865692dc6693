"""One file per operator: what it accepts, which kernel it calls, which constants that needs.

``docs/adding-an-operator.md`` tells how to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from codegen.ir import Graph, ModelError
from codegen.ops import (
    add,
    concatenation,
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    hard_swish,
    inverted_residual,
    logistic,
    lookup,
    mean,
    mul,
    pad,
    pool_2d,
    quantize,
    relu,
    reshape,
    resize,
    softmax,
    sub,
)
from codegen.ops.base import Array, Call, Operator

__all__ = ["OPERATORS", "Array", "Call", "Operator", "check", "constant_bytes"]

OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "ADD": add.OPERATOR,
        "AVERAGE_POOL_2D": pool_2d.AVERAGE,
        "CONCATENATION": concatenation.OPERATOR,
        "CONV_2D": conv_2d.OPERATOR,
        "DEPTHWISE_CONV_2D": depthwise_conv_2d.OPERATOR,
        "DEQUANTIZE": quantize.DEQUANTIZE,
        "FULLY_CONNECTED": fully_connected.OPERATOR,
        "HARD_SWISH": hard_swish.OPERATOR,
        "INVERTED_RESIDUAL": inverted_residual.OPERATOR,
        "LOGISTIC": logistic.OPERATOR,
        "LOOKUP": lookup.OPERATOR,
        "MAX_POOL_2D": pool_2d.MAX,
        "MEAN": mean.OPERATOR,
        "MUL": mul.OPERATOR,
        "PAD": pad.OPERATOR,
        "PADV2": pad.OPERATOR,
        "QUANTIZE": quantize.QUANTIZE,
        "RELU": relu.RELU,
        "RELU6": relu.RELU6,
        "RESHAPE": reshape.OPERATOR,
        "RESIZE_BILINEAR": resize.BILINEAR,
        "RESIZE_NEAREST_NEIGHBOR": resize.NEAREST,
        "SOFTMAX": softmax.OPERATOR,
        "SUB": sub.OPERATOR,
    }
)


def check(graph: Graph) -> None:
    """Refuse a graph that the compiler cannot take.

    Raises:
        ModelError: names the operator, the tensor, what it is and what is allowed.
    """
    for index, op in enumerate(graph.ops):
        if op.kind not in OPERATORS:
            raise ModelError(
                f"operator {index} ({op.kind}) is not supported; "
                f"supported are {', '.join(sorted(OPERATORS))}"
            )
        try:
            OPERATORS[op.kind].check(graph, op)
        except (ModelError, KeyError) as error:
            raise ModelError(f"operator {index} ({op.kind}): {error}") from error


def constant_bytes(graph: Graph) -> int:
    """Bytes of flash that the kernels' constant arrays take: weights, bias, scales and tables.

    It needs shapes only; for a graph with data it is what ``emit`` writes, before arrays that
    are equal are stored once.
    """
    return sum(OPERATORS[op.kind].constant_bytes(graph, op) for op in graph.ops)
