"""Filters that others can stand in for go (He et al. 2019, filter pruning via geometric median)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml_nas.pruning.criterion import Criterion

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from tinyml_nas.pruning.channels import Channels


@dataclass(frozen=True)
class FPGM(Criterion):
    """A channel matters as much as it is far from the others of its group.

    The nearest to their geometric median, not the smallest, can be spared.
    """

    def importances(self, channels: Channels, rng: np.random.Generator) -> Tensor:
        """Σ_j |w - w_j| over the group's channels j (He et al., equation 4), summed over layers: (C,)."""
        import torch

        # Without the trick of matrix products, whose rounding makes equal filters differ.
        exact = "donot_use_mm_for_euclid_dist"
        distances = [torch.cdist(w, w, compute_mode=exact).sum(1) for w in channels.weights]
        return torch.stack(distances).sum(0)
