"""A RESHAPE of a RESHAPE is one RESHAPE, and one that keeps the shape is none."""

from __future__ import annotations

from dataclasses import replace

from codegen.passes.draft import Draft


def merge_reshapes(draft: Draft) -> None:
    """Let the second of two RESHAPEs read what the first one reads; drop those that do nothing."""
    for op in [op for op in draft.ops if op.kind == "RESHAPE"]:
        first = draft.writer(op.inputs[0])
        if first is None or first.kind != "RESHAPE" or draft.only_reader(op.inputs[0]) is not op:
            continue
        draft.swap(op, replace(op, inputs=(first.inputs[0], *op.inputs[1:])))
        draft.remove(first)
    for op in [op for op in draft.ops if op.kind == "RESHAPE"]:
        source, output = op.inputs[0], op.outputs[0]
        same = draft.tensors[source].shape == draft.tensors[output].shape
        if not same or output in draft.outputs:
            continue
        draft.remove(op)
        for reader in [other for other in draft.ops if output in other.inputs]:
            inputs = tuple(source if index == output else index for index in reader.inputs)
            draft.swap(reader, replace(reader, inputs=inputs))
