"""PAD with the zero point before a VALID convolution is the convolution's own padding."""

from __future__ import annotations

from dataclasses import replace

from codegen.arithmetic.fixed_point import zero_point_of
from codegen.ops import pad
from codegen.passes.draft import Draft
from codegen.passes.windows import WINDOWED, with_padding


def absorb_padding(draft: Draft) -> None:
    """Turn a PAD with the zero point into the padding of the convolution that reads it."""
    for op in [op for op in draft.ops if op.kind in ("PAD", "PADV2")]:
        graph = draft.graph
        reader = draft.only_reader(op.outputs[0])
        source, padded = draft.tensors[op.inputs[0]], draft.tensors[op.outputs[0]]
        if draft.tensors[op.inputs[1]].data is None or reader is None:
            continue
        if reader.kind not in WINDOWED or reader.options["padding"] != "VALID":
            continue
        if any(pad.padding_of(graph, op)[3]) or source.quantization != padded.quantization:
            continue
        zero = zero_point_of(padded) if padded.dtype == "int8" else 0.0
        if pad.fill_value(graph, op) != zero:
            continue
        (top, _), (left, _) = pad.padding_of(graph, op)[1:3]
        options = with_padding(reader, top, left)
        inputs = (op.inputs[0], *reader.inputs[1:])
        draft.swap(reader, replace(reader, inputs=inputs, options=options))
        draft.remove(op)
