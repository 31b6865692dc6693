"""Shapes that a file leaves open behind the batch, and that follow from what was folded.

A dense layer over the last axis of several, of an open batch, is written as a RESHAPE to rows whose
number the converter does not know; the file then has a 1 in its place.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from codegen.ir import Op
from codegen.ops import OPERATORS
from codegen.ops.binary import Binary
from codegen.ops.unary import Unary
from codegen.passes.draft import Draft

Shape = tuple[int, ...]


def settle_shapes(draft: Draft) -> None:
    """Give such outputs the shape that their operator's inputs ask for."""
    for op in draft.ops:
        if len(op.outputs) != 1 or not op.inputs or min(op.inputs[:1]) < 0:
            continue
        output = draft.tensors[op.outputs[0]]
        if not output.open_axes or output.constant:
            continue
        shape = _shape(draft, op, output.shape)
        if shape is not None and shape != output.shape:
            draft.tensors[op.outputs[0]] = replace(output, shape=shape)


def _shape(draft: Draft, op: Op, stored: Shape) -> Shape | None:
    source = draft.tensors[op.inputs[0]].shape
    if op.kind == "RESHAPE" and len(op.inputs) == 2 and op.inputs[1] >= 0:
        data = draft.tensors[op.inputs[1]].data
        return None if data is None else _resolved([int(n) for n in data.reshape(-1)], prod(source))
    if op.kind == "FULLY_CONNECTED" and len(op.inputs) > 1 and op.inputs[1] >= 0:
        weights = draft.tensors[op.inputs[1]].shape
        if len(weights) != 2 or len(stored) != 2 or prod(source) % max(weights[1], 1):
            return None
        return prod(source) // weights[1], weights[0]
    operator = OPERATORS.get(op.kind)
    if isinstance(operator, Unary) or op.kind == "DEQUANTIZE":
        return source
    if isinstance(operator, Binary) and len(op.inputs) == 2 and op.inputs[1] >= 0:
        try:
            return np.broadcast_shapes(source, draft.tensors[op.inputs[1]].shape)
        except ValueError:
            return None
    return None


def _resolved(sides: list[int], elements: int) -> Shape | None:
    """The shape that a RESHAPE names, in which one side may be -1."""
    known = prod(side for side in sides if side != -1)
    if sides.count(-1) > 1 or known < 1 or min(sides, default=1) < -1:
        return None
    shape = tuple(elements // known if side == -1 else side for side in sides)
    return shape if prod(shape) == elements else None
