"""How networks see images that are tensors already."""

from __future__ import annotations

import torch
from torch import Tensor

from tinyml_nas.network.seen import LUMA, LUMA_BITS, LUMA_HALF, normalisation
from tinyml_nas.types import STANDARD, Seen


def as_seen(images: Tensor, seen: Seen) -> Tensor:
    """Images (N, 3, S, S) as ``codegen.pixels`` normalises them, as ``seen``: to the bit what ``seen.inputs`` gives."""
    if seen == STANDARD:
        return images
    pixels = images * 128 + 128
    if seen.channels == 1:
        weights = torch.tensor(LUMA, dtype=images.dtype, device=images.device)
        sums = (pixels * weights[:, None, None]).sum(1, keepdim=True) + LUMA_HALF
        pixels = torch.floor(sums / (1 << LUMA_BITS))
    told = normalisation(seen)
    mean, factors = (
        torch.tensor(row, dtype=images.dtype, device=images.device)[:, None, None]
        for row in (told.mean, told.factors)
    )
    return ((pixels - mean) * factors).contiguous()
