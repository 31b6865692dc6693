"""Filters drawn at random go: what a criterion must do better than (Mittal et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml_nas.pruning.criterion import Criterion

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from tinyml_nas.pruning.channels import Channels


@dataclass(frozen=True)
class Random(Criterion):
    """Every channel of a group is as likely to go as any other, by the run's seed."""

    def importances(self, channels: Channels, rng: np.random.Generator) -> Tensor:
        """Uniform in [0, 1), (C,)."""
        import torch

        return torch.from_numpy(rng.random(channels.width))
