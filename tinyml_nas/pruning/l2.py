"""Filters of the smallest L2 norm go (Li et al. 2017, section 4.4; group norm of Fang et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml_nas.pruning.criterion import Criterion

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from tinyml_nas.pruning.channels import Channels


@dataclass(frozen=True)
class L2(Criterion):
    """A channel matters as much as the Euclidean norm of its weights and scales, over all layers."""

    def importances(self, channels: Channels, rng: np.random.Generator) -> Tensor:
        """√Σ w² over the weights that put a channel out or take it in, and its scales: (C,)."""
        import torch

        squares = [weights.square().sum(1) for weights in channels.weights]
        return torch.stack([*squares, *(scale.square() for scale in channels.scales)]).sum(0).sqrt()
