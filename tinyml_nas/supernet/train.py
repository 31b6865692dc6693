"""Train a supernet: first its largest network, then the sandwich rule with in-place distillation.

Sandwich rule and in-place distillation: Yu and Huang 2019 (universally slimmable networks), Yu et
al. 2020 (BigNAS). In each step, the largest network learns from the labels, and the smallest and
some random ones from its logits. The input side is drawn once for each batch (Once-for-All).
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.nn import functional as F

from tinyml_nas.supernet.network import Supernet
from tinyml_nas.training.loop import Batch, Progress, autocast, silent, train
from tinyml_nas.training.recipes import SupernetRecipe
from tinyml_nas.training.state import Curve
from tinyml_nas.types import Images


def train_supernet(
    supernet: Supernet,
    images: Images,
    recipe: SupernetRecipe,
    folder: Path,
    seed: int,
    progress: Progress = silent,
) -> Curve:
    """Train ``supernet`` in place; returns the curve of the largest network's loss."""
    space = supernet.space

    def backward(batch: Batch, epoch: float) -> Tensor:
        rng = batch.numpy_rng
        inputs = batch.inputs(int(rng.choice(space.resolutions)))
        with autocast(recipe):
            logits = supernet(inputs, space.largest()).float()
        smoothing = recipe.label_smoothing
        loss = F.cross_entropy(logits, batch.labels, label_smoothing=smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        if epoch >= recipe.largest_epochs:
            teacher = logits.detach().softmax(1)
            students = [space.sample(rng) for _ in range(recipe.random_networks)]
            for student in (space.smallest(), *students):
                with autocast(recipe):
                    answers = supernet(inputs, student).float()
                F.cross_entropy(answers, teacher).backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    return train(supernet, backward, images, recipe, folder, seed, progress)
