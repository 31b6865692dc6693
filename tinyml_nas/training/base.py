"""What every training run has: how long, how fast, and on what images as they are shown."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from tinyml_nas.types import DataCounts


@dataclass(frozen=True)
class Recipe:
    """A training run. Lengths are in epochs, which may be fractions, or in steps.

    The learning rate rises over ``warmup_epochs``. Without ``decay_epochs`` it then falls along a
    cosine; with them, it stays at its peak and falls linearly over the last ``decay_epochs``. Until
    that fall such a run does not depend on ``epochs``, so that its state can be carried further.

    Args:
        optimizer: ``sgd`` with Nesterov momentum; ``muon``, which takes the matrices of dense
            and 1x1 convolutions from it and moves them by ``matrix_learning_rate``; or ``adamw``,
            whose decay is decoupled: learning rate times ``weight_decay`` a step.
        crop_padding: Pixels of the 32-pixel image by which it is shifted at most.
        erase_side: Side of a grey square put over each image at random; 0 for none.
        average_steps: Steps that the exponential moving average of the weights reaches back; the
            average is what training returns. 0 for none.
        shown_images: Where it is above 0, the run is at least so many images long, however few there are to
            show, and a batch is no larger than they are.
        crop_share: Least share of an image's area that is shown; 1 shows all of it (Szegedy et al. 2015).
        colour: How far brightness, contrast and each colour are changed at most, as a share of their range.
        checkpoint_steps: Steps between two states on disk.
        device: ``auto`` takes a GPU if there is one.
        precision: ``auto`` is bfloat16 on a GPU that has it, else float32.
    """

    epochs: float
    batch_size: int = 128
    optimizer: Literal["sgd", "muon", "adamw"] = "sgd"
    learning_rate: float = 0.1
    matrix_learning_rate: float = 0.03
    momentum: float = 0.9
    weight_decay: float = 1e-4
    label_smoothing: float = 0.1
    warmup_epochs: float = 0.25
    decay_epochs: float | None = None
    crop_padding: int = 4
    erase_side: int = 0
    average_steps: int = 0
    clip_norm: float = 5.0
    shown_images: int = 0
    crop_share: float = 1.0
    colour: float = 0.0
    checkpoint_steps: int = 100
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        for key in (
            *("batch_size", "learning_rate", "matrix_learning_rate", "clip_norm"),
            "checkpoint_steps",
        ):
            if not getattr(self, key) > 0:
                raise ValueError(f"recipe.{key}: must be positive; got {getattr(self, key)}")
        for key in ("momentum", "label_smoothing"):
            if not 0 <= getattr(self, key) < 1:
                raise ValueError(f"recipe.{key}: must be in [0, 1); got {getattr(self, key)}")
        for key in (
            *("epochs", "weight_decay", "warmup_epochs", "crop_padding", "erase_side"),
            *("average_steps", "shown_images"),
        ):
            if getattr(self, key) < 0:
                raise ValueError(f"recipe.{key}: must not be negative; got {getattr(self, key)}")
        if not 0 < self.crop_share <= 1:
            raise ValueError(f"recipe.crop_share: must be in (0, 1]; got {self.crop_share}")
        if not 0 <= self.colour <= 1:
            raise ValueError(f"recipe.colour: must be in [0, 1]; got {self.colour}")
        if self.decay_epochs is not None and not 0 < self.decay_epochs <= self.epochs:
            raise ValueError(
                f"recipe.decay_epochs: must be in (0, recipe.epochs = {self.epochs}], or null for "
                f"a cosine; got {self.decay_epochs}"
            )

    def check(self, dataset: DataCounts) -> None:
        """Refuse to train on ``dataset`` without taking a step; reads no data.

        ``epochs`` of 0 are no mistake here: the weights are wanted as they come.

        Raises:
            ValueError: naming the config key.
        """
        images = dataset.count("train")
        self.fitted(images).steps_per_epoch(images)

    def fitted(self, images: int) -> Recipe:
        """The recipe for a run on so many images; itself, unless it asks for ``shown_images``.

        ``epochs`` of 0 stay 0.
        """
        if not self.shown_images or not images:
            return self
        epochs = max(self.epochs, self.shown_images / images) if self.epochs else 0
        batch_size = min(self.batch_size, images)
        return replace(self, epochs=epochs, batch_size=batch_size, shown_images=0)

    def steps_per_epoch(self, images: int) -> int:
        """How many whole batches ``images`` make, at least one.

        Raises:
            ValueError: a batch is larger than that.
        """
        if self.batch_size > images:
            raise ValueError(
                f"recipe.batch_size: must be at most {images}, the images to train on, or no step "
                f"is taken; got {self.batch_size}"
            )
        return images // self.batch_size

    @property
    def plateau_ends(self) -> float | None:
        """The epoch from which on the learning rate falls, of a run that can be extended."""
        return None if self.decay_epochs is None else self.epochs - self.decay_epochs

    def rate_at(self, epoch: float) -> float:
        """Share of the peak learning rate when ``epoch`` epochs are done."""
        if epoch < self.warmup_epochs:
            return epoch / self.warmup_epochs + 0.01
        if self.decay_epochs is not None:
            return min(1.0, max(0.0, self.epochs - epoch) / self.decay_epochs)
        if epoch >= self.epochs:
            return 0.0
        done = (epoch - self.warmup_epochs) / (self.epochs - self.warmup_epochs)
        return 0.5 * (1 + math.cos(math.pi * done))
