"""An int8 operator of one operand is a table of its results for all 256 codes: a LOOKUP.

HARD_SWISH, RELU, and ADD, SUB or MUL with a constant scalar are such operators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np

from codegen.arithmetic.fixed_point import Codes, all_codes, to_int8
from codegen.ir import Graph, Op
from codegen.ops import OPERATORS, add, mul, sub
from codegen.ops.base import output_of
from codegen.ops.unary import Unary
from codegen.passes.draft import Draft

Binary = Callable[[Graph, Op, Codes, Codes], Codes]
_BINARY: Mapping[str, Binary] = MappingProxyType(
    {
        "ADD": add.OPERATOR.evaluate,
        "MUL": mul.OPERATOR.evaluate,
        "SUB": sub.OPERATOR.evaluate,
    }
)


def tabulate(draft: Draft) -> None:
    """Replace every int8 operator of one operand by its table."""
    graph = draft.graph
    for op in graph.ops:
        function = _function_of_one_code(graph, op)
        if function is None or output_of(graph, op).dtype != "int8":
            continue
        source, evaluate = function
        draft.swap(op, draft.lookup(source, to_int8(evaluate(all_codes())), op))


def _function_of_one_code(graph: Graph, op: Op) -> tuple[int, Callable[[Codes], Codes]] | None:
    """The operand and the function of its codes, for an int8 operator that has but one operand."""
    operator = OPERATORS[op.kind]
    if isinstance(operator, Unary) and operator.tabulates(graph, op):
        return op.inputs[0], partial(operator.evaluate, graph, op)
    evaluate = _BINARY.get(op.kind)
    if evaluate is None:
        return None
    for position in (0, 1):
        scalar = graph.tensors[op.inputs[position]]
        other = op.inputs[1 - position]
        same_shape = graph.tensors[other].shape == output_of(graph, op).shape
        if scalar.data is None or scalar.elements != 1 or not same_shape:
            continue
        fixed = scalar.data.reshape(-1).astype(np.int64)
        if position == 0:
            return other, partial(evaluate, graph, op, fixed)
        return other, partial(_swapped, evaluate, graph, op, fixed)
    return None


def _swapped(evaluate: Binary, graph: Graph, op: Op, second: Codes, first: Codes) -> Codes:
    return evaluate(graph, op, first, second)
