"""EXPAND_DIMS, SQUEEZE, and a TRANSPOSE that moves only axes of size one, are RESHAPEs, which cost nothing."""

from __future__ import annotations

from codegen.ir import Op
from codegen.passes.draft import Draft


def reshape_only(draft: Draft) -> None:
    """Name them so."""
    for op in list(draft.ops):
        renames = op.kind in ("EXPAND_DIMS", "SQUEEZE") and op.inputs[:1] != (-1,)
        if op.inputs and len(op.outputs) == 1 and (renames or _moves_nothing(draft, op)):
            draft.swap(op, Op("RESHAPE", op.inputs[:1], op.outputs))


def _moves_nothing(draft: Draft, op: Op) -> bool:
    if op.kind != "TRANSPOSE" or len(op.inputs) != 2 or min(op.inputs) < 0:
        return False
    source, order = draft.tensors[op.inputs[0]], draft.tensors[op.inputs[1]].data
    if order is None or sorted(order.reshape(-1).tolist()) != list(range(len(source.shape))):
        return False
    moved = [axis for axis in order.reshape(-1).tolist() if source.shape[axis] > 1]
    return moved == sorted(moved)
