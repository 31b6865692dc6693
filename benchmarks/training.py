"""Images a second in training, against a plain loop with a loader of single images.

    python -m benchmarks.training [--threads N] [--device cuda]

Takes a minute on two cores. Every loop trains on the same 4,000 synthetic images, batch 128, input 32x32:

- supernet step: the sandwich rule as ``train_supernet=mbv3_mcu`` carries it out (images are counted once, though each
  goes through the largest, the smallest and a random network);
- plain step: the largest network alone, as ``finetune`` trains it, with SGD and with Muon;
- torchvision-style loop: the same network and SGD, fed by a ``DataLoader`` whose data set crops, flips and normalises one
  image at a time in PIL, as tutorials do;
- data alone: how fast each of the two prepares batches, with nothing trained. Where this is far above the
  steps, data is not the bottleneck.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.supernet.network import Supernet
from tinyml_nas.supernet.space import MobileNetV3Space
from tinyml_nas.supernet.train import train_supernet
from tinyml_nas.training.base import Recipe
from tinyml_nas.training.loop import device_of, draw_batch, finetune
from tinyml_nas.training.recipes import SupernetRecipe
from tinyml_nas.types import Images

IMAGES, BATCH, SIDE, CLASSES = 4000, 128, 32, 10
WARM_UP_STEPS, STEPS = 3, 20
CONF = Path(__file__).parents[1] / "conf"


class TooFar(Exception):  # not an error: it ends a measurement
    """Enough steps were timed."""


class Clock:
    """Times steps after a warm-up; counts as a run's ``progress``."""

    def __init__(self, steps: int, device: torch.device) -> None:
        self.steps, self.device = steps, device
        self.started = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Take note of a step; raises when enough are done."""
        if done == WARM_UP_STEPS:
            self.started = self.now()
        if done == WARM_UP_STEPS + self.steps:
            self.rate = self.steps * BATCH / (self.now() - self.started)
            raise TooFar

    def now(self) -> float:
        """Seconds; waits for the GPU."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


def measured(run: Callable[[Clock], object], steps: int, device: torch.device) -> float:
    """Images a second of a run that reports its steps to a clock."""
    clock = Clock(steps, device)
    try:
        run(clock)
    except TooFar:
        return clock.rate
    raise AssertionError("the run ended before enough steps were timed")


class OneByOne(Dataset[tuple[Tensor, int]]):
    """Images as torchvision's ``CIFAR10`` gives them under ``Compose([RandomCrop, Flip, ToTensor])``."""

    def __init__(self, images: Images) -> None:
        self.images = images
        self.rng = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One image, float (3, 32, 32), and its label."""
        image = ImageOps.expand(Image.fromarray(self.images.pixels[index]), border=4)
        left, top = (int(offset) for offset in self.rng.integers(0, 9, 2))
        image = image.crop((left, top, left + SIDE, top + SIDE))
        if self.rng.random() < 0.5:
            image = ImageOps.mirror(image)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
        return (pixels / 255 - 0.5) / 0.5, int(self.images.labels[index])


def batches(loader: DataLoader[tuple[Tensor, int]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without an end."""
    while True:
        yield from loader


def plain_loop(
    network: nn.Module, images: Images, device: torch.device, workers: int, clock: Clock
) -> None:
    """Train as a tutorial does."""
    loader = DataLoader(OneByOne(images), BATCH, shuffle=True, drop_last=True, num_workers=workers)
    network.to(device).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    for done, (inputs, labels) in enumerate(batches(loader), start=1):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(inputs.to(device)), labels.to(device))
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        optimizer.step()
        clock(done, 0)


def read(option: str) -> dict[str, Any]:
    """The fields of an option file."""
    fields = yaml.safe_load((CONF / f"{option}.yaml").read_text())
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in fields.items()
        if key not in ("defaults", "_target_")
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Images a second in training.")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--workers", type=int, default=0, help="processes of the plain loader")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    images = Images(pixels, rng.integers(0, CLASSES, IMAGES).astype(np.uint8))
    space = replace(MobileNetV3Space(**read("supernet/mbv3_mcu")), resolutions=(SIDE,))
    largest = space.spec(space.largest(), CLASSES)
    recipe = Recipe(epochs=1000, batch_size=BATCH, device=given.device, checkpoint_steps=10**6)
    sandwich = SupernetRecipe(
        **{**read("train_supernet/mbv3_mcu"), "epochs": 1000, "largest_epochs": 0},
        device=given.device,
        checkpoint_steps=10**6,
    )
    device = device_of(recipe)

    # First, because our loops change the allocator for the whole process.
    rows: dict[str, Callable[[Clock], object]] = {
        "torchvision-style loop, SGD": lambda clock: plain_loop(
            StaticNetwork(largest), images, device, given.workers, clock
        )
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows |= {
            "plain step, SGD": lambda clock: finetune(
                StaticNetwork(largest), images, recipe, folder, 0, clock
            ),
            "plain step, Muon": lambda clock: finetune(
                StaticNetwork(largest), images, replace(recipe, optimizer="muon"), folder, 0, clock
            ),
            "supernet step, Muon": lambda clock: train_supernet(
                Supernet(space, CLASSES), images, sandwich, folder, 0, clock
            ),
            "data alone, ours": lambda clock: our_data(images, recipe, device, clock),
            "data alone, torchvision-style": lambda clock: their_data(images, given.workers, clock),
        }
        name = torch.cuda.get_device_name() if device.type == "cuda" else f"{given.threads} threads"
        sys.stdout.write(f"| {name} | images a second |\n|---|---:|\n")
        for label, run in rows.items():
            rate = measured(run, given.steps, device)
            sys.stdout.write(f"| {label} | {rate:,.0f} |\n")
            sys.stdout.flush()


def our_data(images: Images, recipe: Recipe, device: torch.device, clock: Clock) -> None:
    """Draw and augment batches as ``train`` does."""
    pixels = torch.from_numpy(images.pixels).permute(0, 3, 1, 2).contiguous().to(device)
    labels = torch.from_numpy(images.labels.astype(np.int64)).to(device)
    for done in range(1, 10**6):
        draw_batch(pixels, labels, recipe, IMAGES // BATCH, done, seed=0).inputs(SIDE)
        clock(done, 0)


def their_data(images: Images, workers: int, clock: Clock) -> None:
    """Draw batches from the loader."""
    loader = DataLoader(OneByOne(images), BATCH, shuffle=True, drop_last=True, num_workers=workers)
    for done, _ in enumerate(batches(loader), start=1):
        clock(done, 0)


if __name__ == "__main__":
    main()
