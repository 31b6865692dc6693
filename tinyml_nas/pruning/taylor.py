"""Filters that the loss does without go (Molchanov et al. 2019, importance estimation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml_nas.pruning.criterion import Criterion

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from tinyml_nas.pruning.channels import Channels


@dataclass(frozen=True)
class Taylor(Criterion):
    """A channel matters as much as the loss would change without it, to first order.

    Args:
        calibration_images: Training images, drawn by the run's seed, on which gradients are taken.
    """

    calibration_images: int = 512

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.calibration_images < 1:
            raise ValueError(
                f"pruning.calibration_images: must be 1 or more; got {self.calibration_images}"
            )

    def importances(self, channels: Channels, rng: np.random.Generator) -> Tensor:
        """Σ over layers of (Σ w ∂L/∂w)², a layer's weights of a channel as one (equation 8): (C,)."""
        import torch

        pairs = zip(channels.weights, channels.gradients, strict=True)
        return torch.stack([(w * gradient).sum(1).square() for w, gradient in pairs]).sum(0)
