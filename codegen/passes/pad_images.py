"""PAD of a vector or of a line of samples is PAD of an image with fewer rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from codegen.ir import Op
from codegen.passes.draft import Draft

AXES = 4


def pad_images(draft: Draft) -> None:
    """Put axes of size one behind the batch, and take them away again."""
    for op in [op for op in draft.ops if op.kind in ("PAD", "PADV2")]:
        if len(op.inputs) < 2 or min(op.inputs) < 0 or len(op.outputs) != 1:
            continue
        source, amounts, output = (draft.tensors[i] for i in (*op.inputs[:2], op.outputs[0]))
        rank = len(source.shape)
        sound = amounts.data is not None and amounts.shape == (rank, 2)
        if not 2 <= rank < AXES or len(output.shape) != rank or not sound:
            continue
        assert amounts.data is not None
        missing = AXES - rank
        image, made = (
            draft.append(
                replace(tensor, shape=(tensor.shape[0], *[1] * missing, *tensor.shape[1:]))
            )
            for tensor in (source, output)
        )
        grown = np.insert(amounts.data, 1, np.zeros((missing, 2)), axis=0)
        constant = draft.constant(f"{amounts.name}/image", grown, amounts)
        draft.swap(
            op,
            Op("RESHAPE", op.inputs[:1], (image,)),
            Op(op.kind, (image, constant, *op.inputs[2:]), (made,), op.options),
            Op("RESHAPE", (made,), op.outputs),
        )
