"""The head that a program starts with where the field has other classes than the network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save as to_safetensors

from codegen import durable
from codegen.project import HeadWeights
from tinyml_nas.design.split import EXTRACTOR_FILE, HEAD_FILE, read_head


def rearranged(head: HeadWeights, rows: Sequence[int]) -> HeadWeights:
    """A head of other classes, each with a row of ``head``; of none, if there are no rows.

    Classes beyond are taken on by the device: ``max_classes`` of the learner has them.
    """
    chosen = np.array(rows, np.int64)
    return HeadWeights(head.weights[chosen], head.bias[chosen])


def with_rows(extractor: Path, rows: Sequence[int], folder: Path) -> None:
    """Write the files of an extractor's folder into ``folder``, with the head rearranged.

    Raises:
        SplitError: the head's file is damaged.
    """
    changed = rearranged(read_head(extractor / HEAD_FILE), rows)
    content = to_safetensors({"weights": changed.weights, "bias": changed.bias})
    durable.write(folder / HEAD_FILE, content)
    durable.copy(extractor / EXTRACTOR_FILE, folder / EXTRACTOR_FILE)
