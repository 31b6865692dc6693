"""A LOOKUP that changes no code is a RESHAPE, which costs nothing."""

from __future__ import annotations

from codegen.arithmetic.fixed_point import all_codes
from codegen.ir import Op
from codegen.passes.draft import Draft


def drop_identities(draft: Draft) -> None:
    """Turn tables that change nothing into RESHAPEs."""
    for op in [op for op in draft.ops if op.kind == "LOOKUP"]:
        source, table, output = (draft.tensors[i] for i in (*op.inputs, *op.outputs))
        same = source.quantization == output.quantization and not source.constant
        if same and table.data is not None and (table.data.reshape(-1) == all_codes()).all():
            draft.swap(op, Op("RESHAPE", op.inputs[:1], op.outputs))
