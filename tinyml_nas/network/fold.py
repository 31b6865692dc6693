"""What a head reads of the blocks on the way: pooled maps, many channels in few features, and no weights.

Channels are laid in rows and the mean over the rows is taken, so that channels of different blocks share a
feature: a sketch (Charikar et al. 2002) with no signs and no table to keep.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinyml_nas.network.spec import rows_of


@torch.library.custom_op(
    "tinyml_nas::fold", mutates_args=(), schema="(Tensor[] maps, int width) -> Tensor"
)
def fold(maps: list[Tensor], width: int) -> Tensor:
    """Maps (N, C_i, H_i, W_i) to features (N, width, 1, 1).

    The means of all channels in one row; then the mean of its pieces of ``width``. One operator to torch, so that
    it is one to the conversion; it has no gradient.
    """
    row = torch.cat([x.mean(dim=(2, 3)) for x in maps], dim=1)
    rows = rows_of(row.shape[1], width)
    filled = F.pad(row, (0, rows * width - row.shape[1]))
    return filled.view(-1, rows, width).mean(dim=1)[:, :, None, None]


class Fold(nn.Module):
    """``fold`` to a width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, *maps: Tensor) -> Tensor:
        """Maps (N, C_i, H_i, W_i) to features (N, width, 1, 1)."""
        out: Tensor = fold(list(maps), self.width)
        return out
