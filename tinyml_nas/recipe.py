"""How long and how fast to train: the numbers of a training run."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """SGD with Nesterov momentum under a cosine schedule with a linear warm-up.

    ``epochs`` may be a fraction, ``warmup_share`` is a share of the whole run, ``crop_padding`` is
    in pixels of the 32-pixel image.
    """

    epochs: float
    batch_size: int = 128
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    label_smoothing: float = 0.1
    warmup_share: float = 0.05
    crop_padding: int = 4
    clip_norm: float = 5.0
    checkpoint_steps: int = 100

    def __post_init__(self) -> None:
        for key in ("batch_size", "learning_rate", "clip_norm", "checkpoint_steps"):
            if not getattr(self, key) > 0:
                raise ValueError(f"recipe.{key}: must be positive; got {getattr(self, key)}")
        for key in ("momentum", "label_smoothing", "warmup_share"):
            if not 0 <= getattr(self, key) < 1:
                raise ValueError(f"recipe.{key}: must be in [0, 1); got {getattr(self, key)}")
        for key in ("epochs", "weight_decay", "crop_padding"):
            if getattr(self, key) < 0:
                raise ValueError(f"recipe.{key}: must not be negative; got {getattr(self, key)}")

    def learning_rate_at(self, share: float) -> float:
        """Learning rate when ``share`` in [0, 1) of the run is done."""
        if share < self.warmup_share:
            return self.learning_rate * (share / self.warmup_share + 0.01)
        done = (share - self.warmup_share) / (1 - self.warmup_share)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


@dataclass(frozen=True)
class SupernetRecipe(Recipe):
    """The first ``largest_share`` of the run trains the largest network alone.

    After that each step trains the largest, the smallest and ``random_networks`` others.
    """

    largest_share: float = 0.5
    random_networks: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.largest_share <= 1:
            raise ValueError(f"recipe.largest_share: must be in [0, 1]; got {self.largest_share}")
        if self.random_networks < 0:
            raise ValueError(
                f"recipe.random_networks: must not be negative; got {self.random_networks}"
            )
