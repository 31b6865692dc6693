"""A LOOKUP of a convolution is the convolution's fourth input: looked up as codes are stored."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from codegen.ops.convolution import BIAS, TABLE
from codegen.passes.draft import Draft

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def fuse_tables(draft: Draft) -> None:
    """Hand a table to the convolution whose codes it looks up."""
    for op in [op for op in draft.ops if op.kind == "LOOKUP"]:
        writer = draft.writer(op.inputs[0])
        if writer is None or writer.kind not in CONVOLUTIONS or len(writer.inputs) > TABLE:
            continue
        if draft.only_reader(op.inputs[0]) is not op:
            continue
        bias = writer.inputs[BIAS] if len(writer.inputs) > BIAS else -1
        options = MappingProxyType({**writer.options, "scaled_to": op.inputs[0]})
        inputs = (*writer.inputs[:BIAS], bias, op.inputs[1])
        draft.swap(writer, replace(writer, inputs=inputs, outputs=op.outputs, options=options))
        draft.remove(op)
