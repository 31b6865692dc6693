"""One file per operator: what it accepts, which kernel it calls, which constants that needs.

``docs/adding-an-operator.md`` tells how to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from codegen.ir import Graph, ModelError
from codegen.ops import (
    add,
    chain,
    concatenation,
    conv_2d,
    depthwise_conv_2d,
    elu,
    extremes,
    fully_connected,
    gelu,
    hard_swish,
    inverted_residual,
    leaky_relu,
    logistic,
    lookup,
    mean,
    mul,
    pad,
    pool_2d,
    pooled,
    prelu,
    quantize,
    reduce_max,
    relu,
    reshape,
    resize,
    slices,
    softmax,
    sub,
    tanh,
    transpose,
    transpose_conv,
)
from codegen.ops.base import Array, Call, Operator, constant_values

__all__ = ["OPERATORS", "Array", "Call", "Operator", "check", "constant_bytes", "stored_bytes"]

OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "ADD": add.OPERATOR,
        "AVERAGE_POOL_2D": pool_2d.AVERAGE,
        "CHAIN": chain.OPERATOR,
        "CONCATENATION": concatenation.OPERATOR,
        "CONV_2D": conv_2d.OPERATOR,
        "DEPTHWISE_CONV_2D": depthwise_conv_2d.OPERATOR,
        "DEQUANTIZE": quantize.DEQUANTIZE,
        "ELU": elu.OPERATOR,
        "FULLY_CONNECTED": fully_connected.OPERATOR,
        "GELU": gelu.OPERATOR,
        "HARD_SWISH": hard_swish.OPERATOR,
        "INVERTED_RESIDUAL": inverted_residual.OPERATOR,
        "JOIN": concatenation.JOIN,
        "LEAKY_RELU": leaky_relu.OPERATOR,
        "LOGISTIC": logistic.OPERATOR,
        "LOOKUP": lookup.OPERATOR,
        "MAXIMUM": extremes.MAXIMUM,
        "MAX_POOL_2D": pool_2d.MAX,
        "MEAN": mean.OPERATOR,
        "MINIMUM": extremes.MINIMUM,
        "MUL": mul.OPERATOR,
        "PAD": pad.OPERATOR,
        "PADV2": pad.OPERATOR,
        "POOLED": pooled.OPERATOR,
        "PRELU": prelu.OPERATOR,
        "QUANTIZE": quantize.QUANTIZE,
        "REDUCE_MAX": reduce_max.OPERATOR,
        "RELU": relu.RELU,
        "RELU6": relu.RELU6,
        "RESHAPE": reshape.OPERATOR,
        "RESIZE_BILINEAR": resize.BILINEAR,
        "RESIZE_NEAREST_NEIGHBOR": resize.NEAREST,
        "SLICE": slices.SLICE,
        "SOFTMAX": softmax.OPERATOR,
        "STRIDED_SLICE": slices.STRIDED_SLICE,
        "SUB": sub.OPERATOR,
        "TANH": tanh.OPERATOR,
        "TRANSPOSE": transpose.OPERATOR,
        "TRANSPOSE_CONV": transpose_conv.OPERATOR,
    }
)

MADE_HERE = frozenset(
    {"CHAIN", "INVERTED_RESIDUAL", "JOIN", "LOOKUP", "POOLED"}
)  # by the compiler: no file has them


def check(graph: Graph) -> None:
    """Refuse a graph that the compiler cannot take.

    Raises:
        ModelError: names the operator, the tensor, what it is and what is allowed.
    """
    for index, op in enumerate(graph.ops):
        if op.kind not in OPERATORS:
            raise ModelError(
                f"operator {index} ({op.kind}) is not supported; "
                f"supported are {', '.join(sorted(OPERATORS.keys() - MADE_HERE))}"
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


def stored_bytes(graph: Graph) -> int:
    """As ``constant_bytes``, but of a simplified graph with data equal arrays count once."""
    constants = [graph.tensors[i] for op in graph.ops for i in op.inputs if i >= 0]
    if any(tensor.constant and tensor.data is None for tensor in constants):
        return constant_bytes(graph)
    sizes: dict[tuple[str, bytes], int] = {}
    for op in graph.ops:
        call = OPERATORS[op.kind].lower(graph, op)
        if call is None:
            continue
        operands = [graph.tensors[i] for i in call.inputs if graph.tensors[i].constant]
        arrays = [array.values for array in call.arrays]
        for values in [*arrays, *map(constant_values, operands)]:
            sizes[str(values.dtype), values.tobytes()] = values.nbytes
    return sum(sizes.values())
