"""One training loop, for the supernet, for fine-tuning and for recovery after pruning.

A run is a function of its recipe, its data and its seed: batches and augmentation are drawn from
(seed, step), so that a run killed at any moment and started again ends with the same weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codegen.pixels import normalise, resize
from tinyml_nas.network.base import Network
from tinyml_nas.training.allocator import keep_freed_memory
from tinyml_nas.training.augmentation import augment, recoloured, resized, zoomed
from tinyml_nas.training.base import Recipe
from tinyml_nas.training.hardware import device_named
from tinyml_nas.training.optimizer import Average, Optimizer
from tinyml_nas.training.recipes import (
    DistilledRecipe,
    FinetuneRecipe,
    SupernetRecipe,
    TeacherRecipe,
)
from tinyml_nas.training.state import PLATEAU_STATE, STATE, Curve, Log, TrainingState
from tinyml_nas.types import Images

EVALUATION_BATCH = 250
RECALIBRATION_IMAGES = 2000


@dataclass(frozen=True, eq=False)
class Batch:
    """Augmented images in bytes (N, 3, H, W), labels (N,), and the step's own generator.

    ``index`` (N,) says which of the run's images they are. Where images are mixed, ``partners`` (N,) says
    which of the batch lies over each, and ``own`` (N,) which share of it is left.
    """

    images: Tensor
    labels: Tensor
    numpy_rng: np.random.Generator
    index: Tensor
    partners: Tensor | None = None
    own: Tensor | None = None

    def targets(self, classes: int) -> Tensor:
        """What cross-entropy takes: labels (N,), or their shares (N, classes) where images are mixed."""
        if self.partners is None or self.own is None:
            return self.labels
        certain = F.one_hot(self.labels, classes).float()
        return torch.lerp(certain[self.partners], certain, self.own[:, None])

    def inputs(self, side: int) -> Tensor:
        """The network's input (N, 3, side, side), float32, channels last."""
        return resized(self.images, side)


Backward = Callable[[Batch, float], Tensor]
"""Computes a step's gradients, given the epochs that are done, and returns its detached loss."""

Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Report nothing."""


def train(
    model: nn.Module,
    backward: Backward,
    images: Images,
    recipe: Recipe,
    folder: Path,
    seed: int,
    progress: Progress = silent,
) -> Curve:
    """Run ``recipe`` on ``model`` in place and return the curve, one entry an epoch.

    ``folder`` keeps the state from which a killed run goes on, and the one that a longer run can
    extend. The model is on the CPU afterwards.

    Raises:
        ValueError: a batch is larger than all of ``images``.
        RuntimeError: the loss is no longer finite.
    """
    recipe = recipe.fitted(len(images))
    keep_freed_memory()
    device = device_of(recipe)
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    pixels = torch.from_numpy(images.pixels).permute(0, 3, 1, 2).contiguous().to(device)
    labels = torch.from_numpy(images.labels.astype(np.int64)).to(device)
    optimizer, average = Optimizer(model, recipe), Average(model, recipe.average_steps)
    state = TrainingState(model, optimizer, average, recipe, seed)
    steps_per_epoch = recipe.steps_per_epoch(len(images))
    total = math.ceil(recipe.epochs * steps_per_epoch)
    plateau = recipe.plateau_ends
    plateau_steps = None if plateau is None else math.floor(plateau * steps_per_epoch)
    log = state.resume(folder, plateau_steps)
    if log is None:
        extends = recipe.extends if isinstance(recipe, SupernetRecipe) else None
        log = Log() if extends is None else state.extend(extends, plateau_steps)
    loss_sum, started = torch.tensor(log.loss_sum, device=device), time.monotonic() - log.seconds
    while log.step < total:
        if log.step == plateau_steps:
            log.loss_sum = float(loss_sum)
            state.save(folder / PLATEAU_STATE, log, at_peak=True)
        epoch = log.step / steps_per_epoch
        optimizer.zero_grad()
        batch = draw_batch(pixels, labels, recipe, steps_per_epoch, log.step, seed)
        loss_sum += backward(batch, epoch)
        optimizer.step(recipe.rate_at(epoch))
        log.step, log.steps = log.step + 1, log.steps + 1
        average.update(log.step)
        ends = log.step % steps_per_epoch == 0 or log.step == total
        saves = log.step % recipe.checkpoint_steps == 0 or log.step == total
        if ends or saves:  # else a GPU is not waited for
            log.loss_sum, log.seconds = float(loss_sum), time.monotonic() - started
            check_finite(log, recipe)
        if ends:
            log.end_epoch()
            loss_sum.zero_()
            started = time.monotonic()
        if saves:
            at_peak = plateau_steps is not None and log.step <= plateau_steps
            state.save(folder / STATE, log, at_peak=at_peak)
        progress(log.step, total)
    average.apply()
    model.to("cpu")
    return log.curve


def check_finite(log: Log, recipe: Recipe) -> None:
    """Stop a run that diverged, before its state is saved."""
    if not math.isfinite(log.loss_sum):
        raise RuntimeError(
            f"training diverged before step {log.step}: loss {log.loss_sum / log.steps}; lower the "
            f"recipe's learning_rate (now {recipe.learning_rate})"
        )


def device_of(recipe: Recipe) -> torch.device:
    """Where a recipe trains."""
    return device_named(recipe.device)


def autocast(recipe: Recipe) -> AbstractContextManager[None]:
    """The precision of the forward pass; weights and their sums stay float32."""
    device = device_of(recipe)
    capable = device.type == "cuda" and torch.cuda.is_bf16_supported()
    wanted = recipe.precision == "bfloat16" or (recipe.precision == "auto" and capable)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted)


def draw_batch(
    pixels: Tensor, labels: Tensor, recipe: Recipe, steps_per_epoch: int, step: int, seed: int
) -> Batch:
    """The batch of one step: a slice of the epoch's permutation, augmented."""
    epoch, position = divmod(step, steps_per_epoch)
    order = np.random.default_rng([seed, 0, epoch]).permutation(len(labels))
    chosen = order[position * recipe.batch_size :][: recipe.batch_size]
    index = torch.from_numpy(chosen).to(pixels.device)
    rng = np.random.default_rng([seed, 1, step])
    shown = pixels[index]
    if recipe.crop_share < 1:
        shown = zoomed(shown, recipe.crop_share, rng)
    shown = augment(shown, recipe.crop_padding, rng, recipe.erase_side)
    if recipe.colour:
        shown = recoloured(shown, recipe.colour, rng)
    if not (isinstance(recipe, FinetuneRecipe) and recipe.mixing):
        return Batch(shown, labels[index], rng, index)
    partners = torch.from_numpy(rng.permutation(len(index))).to(pixels.device)
    own = torch.from_numpy(rng.uniform(0.5, 1, len(index)).astype(np.float32)).to(pixels.device)
    over = shown.float()
    mixed = torch.lerp(over[partners], over, own[:, None, None, None]).round().to(torch.uint8)
    return Batch(mixed, labels[index], rng, index, partners, own)


def finetune(
    network: Network,
    images: Images,
    recipe: Recipe,
    folder: Path,
    seed: int,
    progress: Progress = silent,
    teacher: Network | None = None,
    answers: Tensor | None = None,
) -> Curve:
    """Train all weights of a network in place, on labels and a ``DistilledRecipe``'s teacher.

    A ``teacher`` is asked about every batch as it is shown; ``answers`` (images, classes) are the
    probabilities that another gave before, of images as they are: not for a recipe that mixes them.

    At the end the weights are rounded to what float16 holds, so that a trained network is half as
    large on disk; int8 will keep fewer bits. BatchNorm's statistics are measured after that, because
    running ones lag behind the weights and were taken of augmented images.
    """
    share = recipe.teacher_share if isinstance(recipe, DistilledRecipe) else 0.0
    if answers is not None:
        answers = answers.to(device_of(recipe))
    if teacher is not None:
        teacher.to(device_of(recipe), memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    network.train()
    keeps = isinstance(recipe, FinetuneRecipe) and recipe.keep_statistics
    if keeps:
        for norm in norms_of(network):
            norm.eval()

    def backward(batch: Batch, epoch: float) -> Tensor:
        side = network.resolution
        if isinstance(recipe, TeacherRecipe):
            side = recipe.side_at(epoch)
        with autocast(recipe):
            logits = network(batch.inputs(side))
        smoothing = recipe.label_smoothing
        targets = batch.targets(logits.shape[1])
        loss = F.cross_entropy(logits.float(), targets, label_smoothing=smoothing)
        said = None if answers is None else answers[batch.index]
        if teacher is not None:
            with torch.no_grad(), autocast(recipe):
                said = teacher(batch.inputs(teacher.resolution)).float().softmax(1)
        if said is not None:
            loss = (1 - share) * loss + share * F.cross_entropy(logits.float(), said)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    curve = train(network, backward, images, recipe, folder, seed, progress)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.half())
    if keeps:
        network.eval()
    else:
        recalibrate(network, images[:RECALIBRATION_IMAGES])
    return curve


def inputs_of(images: Images, side: int) -> Iterator[Tensor]:
    """The network's input for each evaluation batch, prepared as on the device."""
    for start in range(0, len(images), EVALUATION_BATCH):
        pixels = images.pixels[start : start + EVALUATION_BATCH]
        batch = torch.from_numpy(normalise(resize(pixels, side))).permute(0, 3, 1, 2)
        yield batch.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def accuracy(network: Network, images: Images) -> float:
    """Top-1 accuracy in [0, 1]."""
    network.eval()
    batches = inputs_of(images, network.resolution)
    predicted = torch.cat([network(batch).argmax(1) for batch in batches])
    return float((predicted.numpy() == images.labels).mean())


def norms_of(network: Network) -> list[nn.BatchNorm1d | nn.BatchNorm2d]:
    """Every BatchNorm of a network."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d)
    return [module for module in network.modules() if isinstance(module, kinds)]


@torch.no_grad()
def recalibrate(network: Network, images: Images) -> None:
    """Measure BatchNorm's statistics anew on ``images``, as inherited weights need (OFA)."""
    norms = norms_of(network)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over the batches
    network.eval()  # nothing is dropped out
    for norm in norms:
        norm.train()
    for batch in inputs_of(images, network.resolution):
        network(batch)
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
