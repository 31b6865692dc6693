"""Filters of the smallest L1 norm go (Li et al. 2017, section 3.1; thesis, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml_nas.pruning.criterion import Criterion

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from tinyml_nas.pruning.channels import Channels


@dataclass(frozen=True)
class L1(Criterion):
    """A channel matters as much as the L1 norm of its weights and BatchNorm scales, over all layers."""

    def importances(self, channels: Channels, rng: np.random.Generator) -> Tensor:
        """Σ |w| over the weights that put a channel out or take it in, and its scales: (C,)."""
        return channels.l1_norms()
