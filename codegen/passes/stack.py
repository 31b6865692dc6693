"""PACK is a CONCATENATION of operands with one axis more."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from codegen.ir import Op
from codegen.passes.draft import Draft


def stack(draft: Draft) -> None:
    """Replace every PACK whose axis and shapes are sound."""
    for op in [op for op in draft.ops if op.kind == "PACK"]:
        if len(op.outputs) != 1 or min(op.inputs, default=-1) < 0:
            continue
        whole = draft.tensors[op.outputs[0]].shape
        axis = int(op.options["axis"])
        if not -len(whole) <= axis < len(whole):
            continue
        axis %= len(whole)
        row = (*whole[:axis], 1, *whole[axis + 1 :])
        if any(draft.tensors[i].shape != whole[:axis] + whole[axis + 1 :] for i in op.inputs):
            continue
        operands, reshapes = [], []
        for index in op.inputs:
            tensor = draft.tensors[index]
            data = None if tensor.data is None else tensor.data.reshape(row)
            operands.append(draft.append(replace(tensor, shape=row, data=data)))
            if not tensor.constant:
                reshapes.append(Op("RESHAPE", (index,), (operands[-1],)))
        options: dict[str, int | float | str | bool] = {"axis": axis, "fused_activation": "NONE"}
        joined = Op("CONCATENATION", tuple(operands), op.outputs, MappingProxyType(options))
        draft.swap(op, *reshapes, joined)
