"""Outer rows and columns of a kernel that are zero in all channels, or meet no pixel, are dropped.

The converter writes zeros to express symmetric padding at stride 2. Where an image is one pixel
wide, all but one column of a 3x3 kernel lie beside it, whatever the padding's code is: it stands
for 0.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from codegen.ops.dilated import is_dilated
from codegen.ops.window import window_of
from codegen.passes.draft import Draft
from codegen.passes.windows import WINDOWED, with_padding


def trim_kernels(draft: Draft) -> None:
    """Drop outer rows and columns of kernels that are zero in all channels or meet no pixel."""
    for op in [op for op in draft.ops if op.kind in WINDOWED]:
        weights = draft.tensors[op.inputs[1]]
        if weights.data is None or is_dilated(op):
            continue
        kernel = weights.shape[1], weights.shape[2]
        window = window_of(op, draft.tensors[op.inputs[0]], draft.tensors[op.outputs[0]], kernel)
        rows, columns = (
            _both(_used(weights.data, axis + 1), window.met(axis)) for axis in range(2)
        )
        trimmed = np.ascontiguousarray(weights.data[:, rows, columns])
        if trimmed.shape == weights.shape:
            continue
        index = draft.constant(f"{weights.name}/trimmed", trimmed, weights)
        options = with_padding(op, window.pad_top - rows.start, window.pad_left - columns.start)
        inputs = (op.inputs[0], index, *op.inputs[2:])
        draft.swap(op, replace(op, inputs=inputs, options=options))


def _used(weights: npt.NDArray[np.generic], axis: int) -> slice:
    """From the first to the last index along ``axis`` that holds a weight other than zero."""
    others = tuple(i for i in range(weights.ndim) if i != axis)
    (used,) = np.nonzero(np.any(weights != 0, axis=others))
    return slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)


def _both(a: slice, b: slice) -> slice:
    """What both hold; the first of ``a`` where that is nothing: a kernel has a row."""
    start, stop = max(a.start, b.start), min(a.stop, b.stop)
    return slice(start, stop) if start < stop else slice(a.start, a.start + 1)
