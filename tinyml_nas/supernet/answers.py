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
from tinyml_nas.network.files import load
from tinyml_nas.progress import reported
from tinyml_nas.training.loop import EVALUATION_BATCH, inputs_of
from tinyml_nas.types import Artifact, Images


@torch.no_grad()
def answers_of(teacher: Artifact, images: Images, work: Path, device: torch.device) -> Tensor:
    """Probabilities (N, classes) that the ``teacher`` gives ``images``; kept in ``work``.

    Raises:
        ValueError: the teacher knows another number of classes than the images have.
    """
    kept = work / f"answers-{teacher.digest[:16]}.safetensors"
    if kept.is_file():
        try:
            return load_file(kept)["answers"]
        except SafetensorError:  # damaged: computed again
            kept.unlink()
    network = load(teacher.path)
    classes = network.classifier.out_features
    if int(images.labels.max()) >= classes:
        raise ValueError(
            f"train_supernet.teacher: {teacher.path} knows {classes} classes; the images have labels up "
            f"to {int(images.labels.max())}"
        )
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    given = []
    with reported("teacher's answers") as report:
        for batch in inputs_of(images, network.resolution):
            given.append(network(batch.to(device)).softmax(1).cpu())
            report(min(len(given) * EVALUATION_BATCH, len(images)), len(images))
    answers = torch.cat(given)
    work.mkdir(parents=True, exist_ok=True)
    durable.write(kept, to_bytes({"answers": answers}))
    return answers
