"""TRANSPOSE_CONV with its operands in the order of other convolutions: image, weights, bias.

The shape of its output, which a file gives first, is the output's own.
"""

from __future__ import annotations

from dataclasses import replace

from codegen.passes.draft import Draft


def reorder_operands(draft: Draft) -> None:
    """Bring image and weights to their places."""
    for op in [op for op in draft.ops if op.kind == "TRANSPOSE_CONV"]:
        if len(op.inputs) in (3, 4):
            _, weights, source, *bias = op.inputs
            draft.swap(op, replace(op, inputs=(source, weights, *bias)))
