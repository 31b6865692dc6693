"""A RESHAPE of a RESHAPE is one RESHAPE."""

from __future__ import annotations

from dataclasses import replace

from codegen.passes.draft import Draft


def merge_reshapes(draft: Draft) -> None:
    """Let the second of two RESHAPEs read what the first one reads."""
    for op in [op for op in draft.ops if op.kind == "RESHAPE"]:
        first = draft.writer(op.inputs[0])
        if first is None or first.kind != "RESHAPE" or draft.only_reader(op.inputs[0]) is not op:
            continue
        draft.swap(op, replace(op, inputs=(first.inputs[0], *op.inputs[1:])))
        draft.remove(first)
