"""Filters that BatchNorm scales down go (Liu et al. 2017, network slimming)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml_nas.pruning.criterion import Criterion

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from tinyml_nas.pruning.channels import Channels


@dataclass(frozen=True)
class BnScale(Criterion):
    """A channel matters as much as its BatchNorm scales |γ|, mean over layers.

    Squeezed channels and the feature mix have no BatchNorm: their L1 norm decides.
    """

    def importances(self, channels: Channels, rng: np.random.Generator) -> Tensor:
        """Mean |γ|, (C,)."""
        import torch

        if not channels.scales:
            return channels.l1_norms()
        return torch.stack([scale.abs() for scale in channels.scales]).mean(0)
