"""A teacher's answers, computed once: what it says of each image as it is, whatever students are shown.

Flips and small shifts leave an image's class as it was, so the answers are kept for all of training.
Students thereby see what the teacher did not (a fixed teacher, Beyer et al. 2022); it costs one pass.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor

from codegen import durable
from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.training.loop import Progress, inputs_of, silent
from tinyml_nas.types import Images

FILE = "answers.safetensors"
PART = 4000
"""Images whose answers a killed run does not lose."""


@torch.no_grad()
def answers_of(
    teacher: StaticNetwork, images: Images, work: Path, progress: Progress = silent
) -> Tensor:
    """Probabilities (N, classes) that the ``teacher`` gives ``images``.

    It may lie on a GPU. ``work`` keeps what a killed run has computed of them.
    """
    teacher.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    device = teacher.classifier.weight.device
    parts: list[Tensor] = []
    for start in range(0, len(images), PART):
        kept = work / f"answers-{start}.safetensors"
        part = _kept(kept)
        if part is None:
            batches = inputs_of(images[start : start + PART], teacher.resolution)
            part = torch.empty(0, teacher.classifier.out_features)
            for batch in batches:
                part = torch.cat([part, teacher(batch.to(device)).softmax(1).cpu()])
                progress(start + len(part), len(images))
            write_answers(part, kept)
        parts.append(part)
    return torch.cat(parts)


def write_answers(answers: Tensor, path: Path) -> None:
    """Write probabilities (N, classes) whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write(path, to_bytes({"answers": answers}))


def read_answers(path: Path) -> Tensor:
    """Probabilities (N, classes).

    Raises:
        SafetensorError: the file is damaged.
    """
    return load_file(path)["answers"]


def _kept(path: Path) -> Tensor | None:
    """What a killed run kept; None where that is nothing, or is damaged, as by a power cut."""
    try:
        return read_answers(path) if path.is_file() else None
    except SafetensorError:
        return None
