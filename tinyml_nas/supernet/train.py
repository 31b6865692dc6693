"""Train a supernet: first its largest network, then the sandwich rule with in-place distillation.

Sandwich rule and in-place distillation: Yu and Huang 2019 (universally slimmable networks), Yu et
al. 2020 (BigNAS). In each step, the largest network learns from the labels, and the smallest and
some random ones from its logits; or all from a trained teacher's answers. The input side is drawn once for each batch (Once-for-All).
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.nn import functional as F

from tinyml_nas.supernet.families import AnySupernet
from tinyml_nas.training.loop import Batch, Progress, autocast, silent, train
from tinyml_nas.training.recipes import SupernetRecipe, TaughtSupernetRecipe
from tinyml_nas.training.state import Curve
from tinyml_nas.types import Images


def train_supernet(
    supernet: AnySupernet,
    images: Images,
    recipe: SupernetRecipe,
    folder: Path,
    seed: int,
    progress: Progress = silent,
    answers: Tensor | None = None,
) -> Curve:
    """Train ``supernet`` in place; returns the curve of the largest network's loss.

    ``answers`` (images, classes) are a teacher's probabilities, for a ``TaughtSupernetRecipe``.
    """
    space = supernet.space
    share = recipe.teacher_share if isinstance(recipe, TaughtSupernetRecipe) else 0.0

    def backward(batch: Batch, epoch: float) -> Tensor:
        rng = batch.numpy_rng
        inputs = batch.inputs(int(rng.choice(space.resolutions)))
        with autocast(recipe):
            logits = supernet(inputs, space.largest()).float()
        smoothing = recipe.label_smoothing
        loss = F.cross_entropy(logits, batch.labels, label_smoothing=smoothing)
        teacher = logits.detach().softmax(1)
        if answers is not None:
            teacher = answers.to(batch.index.device)[batch.index]
            loss = (1 - share) * loss + share * F.cross_entropy(logits, teacher)
        loss.backward()  # type: ignore[no-untyped-call]
        if epoch >= recipe.largest_epochs:
            students = [space.sample(rng) for _ in range(recipe.random_networks)]
            for student in (space.smallest(), *students):
                with autocast(recipe):
                    said = supernet(inputs, student).float()
                F.cross_entropy(said, teacher).backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    return train(supernet, backward, images, recipe, folder, seed, progress)
