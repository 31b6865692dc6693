"""SPLIT, SPLIT_V and UNPACK are a SLICE for each of their outputs that is read."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import numpy as np

from codegen.ir import Op, Tensor
from codegen.passes.draft import Draft

OPERANDS = {"SPLIT": (1, 0), "SPLIT_V": (0, 2), "UNPACK": (0, None)}
"""Positions of the source and of the axis among the inputs; the axis of UNPACK is an option."""


def slice_apart(draft: Draft) -> None:
    """Replace every such operator whose axis is known."""
    for op in [op for op in draft.ops if op.kind in OPERANDS]:
        parts = _parts(draft, op)
        if parts is None:
            continue
        source, axis, sizes = parts
        slices = list[Op]()
        whole = draft.tensors[source]
        for output, size, end in zip(op.outputs, sizes, accumulate(sizes), strict=True):
            begins, counts = [0] * len(whole.shape), list(whole.shape)
            begins[axis], counts[axis] = end - size, size
            slices += _slices(draft, source, output, begins, counts)
        draft.swap(op, *slices)


def _parts(draft: Draft, op: Op) -> tuple[int, int, list[int]] | None:
    """The source, the axis and how much of it each output takes; None where it is not sound."""
    at, axis_at = OPERANDS[op.kind]
    if min(op.inputs, default=-1) < 0 or len(op.inputs) != 1 + max(at, axis_at or 0):
        return None
    source = op.inputs[at]
    shape = draft.tensors[source].shape
    axis = (
        int(op.options["axis"]) if axis_at is None else _scalar(draft.tensors[op.inputs[axis_at]])
    )
    if axis is None or not -len(shape) <= axis < len(shape):
        return None
    axis %= len(shape)
    rest = [draft.tensors[i].shape for i in op.outputs]
    if op.kind == "UNPACK":
        sizes = [1] * len(rest)
        fits = all(sides == shape[:axis] + shape[axis + 1 :] for sides in rest)
    else:
        sizes = [sides[axis] if axis < len(sides) else 0 for sides in rest]
        fits = all(
            sides == (*shape[:axis], size, *shape[axis + 1 :])
            for sides, size in zip(rest, sizes, strict=True)
        )
    return (source, axis, sizes) if fits and sum(sizes) == shape[axis] else None


def _scalar(tensor: Tensor) -> int | None:
    data = tensor.data
    return int(data.reshape(-1)[0]) if data is not None and data.size == 1 else None


def _slices(
    draft: Draft, source: int, output: int, begins: list[int], counts: list[int]
) -> list[Op]:
    """A SLICE, and a RESHAPE where the output has fewer axes."""
    operands = tuple(
        draft.append(
            Tensor(name, (len(values),), "int32", constant=True, data=np.array(values, "i4"))
        )
        for name, values in (("begin", begins), ("size", counts))
    )
    whole = draft.tensors[output]
    if whole.shape == tuple(counts):
        return [Op("SLICE", (source, *operands), (output,))]
    part = draft.append(replace(whole, name=f"{whole.name}/part", shape=tuple(counts)))
    return [Op("SLICE", (source, *operands), (part,)), Op("RESHAPE", (part,), (output,))]
