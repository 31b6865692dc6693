"""One training loop, for the supernet, for fine-tuning and for recovery after pruning.

A run is a function of its recipe, its data and its seed: batches and augmentation are drawn from
(seed, step), so that a run killed at any moment and started again ends with the same weights.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.preprocess import normalise, resize
from tinyml_nas.recipe import Recipe
from tinyml_nas.types import Images

EVALUATION_BATCH = 250


@dataclass(frozen=True, eq=False)
class Batch:
    """Augmented images in bytes (N, 3, H, W), labels (N,), and the step's own generators."""

    images: Tensor
    labels: Tensor
    numpy_rng: np.random.Generator

    def inputs(self, side: int) -> Tensor:
        """The network's input (N, 3, side, side), float32, channels last."""
        images = self.images.float()
        if side != images.shape[-1]:
            images = F.interpolate(images, size=side, mode="bilinear", align_corners=False)
        return ((images - 128) / 128).contiguous(memory_format=torch.channels_last)


Backward = Callable[[Batch, float], float]
"""Computes a step's gradients, given how far the run is in [0, 1], and returns its loss."""


def train(
    model: nn.Module,
    backward: Backward,
    images: Images,
    recipe: Recipe,
    folder: Path,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[dict[str, float]]:
    """Run ``recipe`` on ``model`` in place and return the curve, one entry an epoch.

    ``folder`` keeps the checkpoint from which a killed run goes on.
    """
    optimizer = torch.optim.SGD(
        parameter_groups(model, recipe.weight_decay),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=True,
    )
    pixels = torch.from_numpy(images.pixels).permute(0, 3, 1, 2)
    labels = torch.from_numpy(images.labels.astype(np.int64))
    steps_per_epoch = len(images) // recipe.batch_size
    total = math.ceil(recipe.epochs * steps_per_epoch)
    checkpoint = Checkpoint(folder / "training.safetensors", model, optimizer)
    step, curve = checkpoint.load()
    started, losses = time.monotonic(), []
    while step < total:
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate_at(step / total)
        optimizer.zero_grad(set_to_none=True)
        batch = draw_batch(pixels, labels, recipe, steps_per_epoch, step, seed)
        losses.append(backward(batch, step / total))
        if not math.isfinite(losses[-1]):
            raise RuntimeError(
                f"training diverged at step {step}: loss {losses[-1]}; lower the recipe's "
                f"learning_rate (now {recipe.learning_rate})"
            )
        nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
        optimizer.step()
        step += 1
        if step % steps_per_epoch == 0 or step == total:
            seconds = round(time.monotonic() - started, 1)
            curve.append({"step": step, "loss": float(np.mean(losses)), "seconds": seconds})
            started, losses = time.monotonic(), []
        if step % recipe.checkpoint_steps == 0 or step == total:
            checkpoint.save(step, curve)
        progress(step, total)
    return curve


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weights decay; biases and BatchNorm's scale and shift do not."""
    weights = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    return [
        {"params": weights, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def draw_batch(
    pixels: Tensor, labels: Tensor, recipe: Recipe, steps_per_epoch: int, step: int, seed: int
) -> Batch:
    """The batch of one step: a slice of the epoch's permutation, cropped and flipped."""
    epoch, position = divmod(step, steps_per_epoch)
    order = np.random.default_rng([seed, 0, epoch]).permutation(len(labels))
    index = torch.from_numpy(order[position * recipe.batch_size :][: recipe.batch_size])
    rng = np.random.default_rng([seed, 1, step])
    return Batch(augment(pixels[index], recipe.crop_padding, rng), labels[index], rng)


def augment(images: Tensor, padding: int, rng: np.random.Generator) -> Tensor:
    """Flip each image of (N, C, H, W) with probability 1/2 and shift it by up to ``padding``."""
    count, _, height, width = images.shape
    padded = F.pad(images, (padding,) * 4)
    top, left = torch.from_numpy(rng.integers(0, 2 * padding + 1, (2, count, 1)))
    columns = torch.arange(width).repeat(count, 1)
    flipped = torch.from_numpy(rng.random(count) < 0.5)
    columns[flipped] = columns[flipped].flip(1)
    rows = top + torch.arange(height)
    sample = torch.arange(count)[:, None, None]
    crop = padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], (left + columns)[:, None, :]]
    return crop.permute(0, 3, 1, 2)


class Checkpoint:
    """Model, momentum, step and curve in one safetensors file, replaced whole."""

    def __init__(self, path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.path, self.model, self.optimizer = path, model, optimizer

    def save(self, step: int, curve: list[dict[str, float]]) -> None:
        """Write aside, then rename."""
        tensors = {f"model.{k}": v.contiguous() for k, v in self.model.state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors[f"momentum.{index}"] = state["momentum_buffer"].contiguous()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".part")
        save_file(tensors, partial, {"step": str(step), "curve": json.dumps(curve)})
        partial.replace(self.path)

    def load(self) -> tuple[int, list[dict[str, float]]]:
        """Restore in place; (0, []) where there is nothing yet."""
        if not self.path.exists():
            return 0, []
        try:
            with safe_open(self.path, "pt") as file:
                metadata = file.metadata()
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except Exception as error:
            raise ValueError(f"{self.path}: damaged checkpoint ({error}); delete it") from error
        model = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
        self.model.load_state_dict(model)
        state = self.optimizer.state_dict()
        state["state"] = {
            int(key.removeprefix("momentum.")): {"momentum_buffer": value}
            for key, value in tensors.items()
            if key.startswith("momentum.")
        }
        self.optimizer.load_state_dict(state)
        return int(metadata["step"]), json.loads(metadata["curve"])


def finetune(
    network: StaticNetwork,
    images: Images,
    recipe: Recipe,
    folder: Path,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[dict[str, float]]:
    """Train all weights of a static network on labels, in place."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.train()

    def backward(batch: Batch, _: float) -> float:
        logits = network(batch.inputs(network.resolution))
        loss = F.cross_entropy(logits, batch.labels, label_smoothing=recipe.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    return train(network, backward, images, recipe, folder, seed, progress)


def inputs_of(images: Images, side: int) -> Iterator[Tensor]:
    """The network's input for each evaluation batch, prepared as on the device."""
    for start in range(0, len(images), EVALUATION_BATCH):
        pixels = images.pixels[start : start + EVALUATION_BATCH]
        batch = torch.from_numpy(normalise(resize(pixels, side))).permute(0, 3, 1, 2)
        yield batch.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def accuracy(network: StaticNetwork, images: Images) -> float:
    """Top-1 accuracy in [0, 1]."""
    network.eval()
    batches = inputs_of(images, network.resolution)
    predicted = torch.cat([network(batch).argmax(1) for batch in batches])
    return float((predicted.numpy() == images.labels).mean())


@torch.no_grad()
def recalibrate(network: StaticNetwork, images: Images) -> None:
    """Measure BatchNorm's statistics anew on ``images``, as inherited weights need (OFA)."""
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over the batches
    network.train()
    for batch in inputs_of(images, network.resolution):
        network(batch)
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
