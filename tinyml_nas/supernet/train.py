"""Train a supernet: first its largest network, then the sandwich rule with in-place distillation.

Sandwich rule and in-place distillation: Yu and Huang 2019 (universally slimmable networks), Yu et
al. 2020 (BigNAS). In each step, the largest network learns from the labels, and the smallest and
some random ones from its logits. The input side is drawn once for each batch (Once-for-All).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional as F

from tinyml_nas.recipe import SupernetRecipe
from tinyml_nas.supernet.network import Supernet
from tinyml_nas.training import Batch, train
from tinyml_nas.types import Images


def train_supernet(
    supernet: Supernet,
    images: Images,
    recipe: SupernetRecipe,
    folder: Path,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[dict[str, float]]:
    """Train ``supernet`` in place; returns the curve of the largest network's loss."""
    space = supernet.space
    supernet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def backward(batch: Batch, share: float) -> float:
        rng = batch.numpy_rng
        inputs = batch.inputs(int(rng.choice(space.resolutions)))
        logits = supernet(inputs, space.largest())
        smoothing = recipe.label_smoothing
        loss = F.cross_entropy(logits, batch.labels, label_smoothing=smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        if share >= recipe.largest_share:
            teacher = logits.detach().softmax(1)
            students = [space.sample(rng) for _ in range(recipe.random_networks)]
            for student in (space.smallest(), *students):
                distilled = F.cross_entropy(supernet(inputs, student), teacher)
                distilled.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    return train(supernet, backward, images, recipe, folder, seed, progress)
