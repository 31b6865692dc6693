"""DEQUANTIZE before QUANTIZE is a LOOKUP: codes to codes, without reals between."""

from __future__ import annotations

from codegen.arithmetic.fixed_point import all_codes
from codegen.ops import quantize
from codegen.passes.draft import Draft


def skip_reals(draft: Draft) -> None:
    """Replace each DEQUANTIZE that only a QUANTIZE reads, and that QUANTIZE, by one table."""
    for op in [op for op in draft.ops if op.kind == "QUANTIZE"]:
        first = draft.writer(op.inputs[0])
        if first is None or first.kind != "DEQUANTIZE" or draft.only_reader(op.inputs[0]) is not op:
            continue
        source, output = draft.tensors[first.inputs[0]], draft.tensors[op.outputs[0]]
        table = quantize.to_codes(output, quantize.to_reals(source, all_codes()))
        draft.swap(op, draft.lookup(first.inputs[0], table, op))
        draft.remove(first)
