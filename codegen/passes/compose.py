"""A LOOKUP of a LOOKUP is one LOOKUP."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from codegen.passes.draft import Draft


def compose(draft: Draft) -> None:
    """Merge each table with the table that alone feeds it."""
    for op in [op for op in draft.ops if op.kind == "LOOKUP"]:
        first = draft.writer(op.inputs[0])
        if first is None or first.kind != "LOOKUP" or draft.only_reader(op.inputs[0]) is not op:
            continue
        inner, outer = (draft.tensors[lookup.inputs[1]].data for lookup in (first, op))
        if inner is None or outer is None:
            continue
        composed = outer[inner.astype(np.int64) + 128]
        like = draft.tensors[op.inputs[1]]
        index = draft.constant(f"{like.name}/composed", composed, like)
        draft.swap(op, replace(op, inputs=(first.inputs[0], index)))
        draft.remove(first)
