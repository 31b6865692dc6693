"""LOOKUP: the compiler's own operator, made from int8 operators of one operand.

Inputs are the activations and a constant table of 256 codes; code c becomes table[c + 128].
"""

from __future__ import annotations

from codegen.ir import Graph, Op
from codegen.ops.base import (
    Array,
    Call,
    Operator,
    Value,
    constant_values,
    output_of,
    require,
    require_activations,
    require_inputs,
)
from codegen.ops.unary import TABLE_BYTES


class Lookup(Operator):
    """One load per element."""

    def check(self, graph: Graph, op: Op) -> None:
        """The table must be whole."""
        require_inputs(op, 2, 2)
        require_activations(graph, op)
        table = graph.tensors[op.inputs[1]]
        whole = table.constant and table.dtype == "int8" and table.elements == TABLE_BYTES
        require(whole, table, "must be a constant table of 256 int8 codes")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``lookup``."""
        table = Array("table", constant_values(graph.tensors[op.inputs[1]]))
        fields: dict[str, Value] = {"table": table, "count": output_of(graph, op).elements}
        return Call("lookup", "lookup.hpp", "LookupInt8", fields, op.inputs[:1], op.outputs[0])

    def in_place(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Its operand."""
        return (0,)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """The table."""
        return TABLE_BYTES


OPERATOR = Lookup()
