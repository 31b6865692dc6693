"""Augmentation of a whole batch at once, on whatever device its images are."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

GREY = 128


def augment(images: Tensor, padding: int, rng: np.random.Generator, erase_side: int = 0) -> Tensor:
    """Flip each image of (N, C, H, W) with probability 1/2, shift it by up to ``padding``, erase.

    What a shift uncovers is mirrored from the image. A square of ``erase_side`` pixels around a
    random place is set to grey; it may stick out (cutout, DeVries and Taylor 2017).
    """
    count, channels, height, width = images.shape
    device = images.device
    top, left = rng.integers(0, 2 * padding + 1, (2, count, 1))
    columns = np.tile(np.arange(width), (count, 1))
    flipped = rng.random(count) < 0.5
    columns[flipped] = columns[flipped, ::-1]
    rows = mirrored(top - padding + np.arange(height), height)
    columns = mirrored(left - padding + columns, width)
    pixel = torch.from_numpy(rows[:, :, None] * width + columns[:, None, :]).to(device)
    index = pixel.reshape(count, 1, -1).expand(-1, channels, -1)
    out = images.reshape(count, channels, -1).gather(2, index).view_as(images)
    if erase_side:
        centre = rng.random((2, count, 1)) * [[[height]], [[width]]]
        inside = [
            torch.from_numpy(abs(np.arange(side) + 0.5 - c) <= erase_side / 2).to(device)
            for side, c in zip((height, width), centre, strict=True)
        ]
        out = out.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], GREY)
    return out


def mirrored(
    position: np.ndarray[tuple[int, ...], np.dtype[np.int64]], size: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Positions outside 0..size-1 reflected at the border, which is not repeated."""
    position = abs(position)
    return np.where(position >= size, 2 * (size - 1) - position, position)


def resized(images: Tensor, side: int) -> Tensor:
    """Bytes (N, 3, H, W) as a network's input (N, 3, side, side): float32, channels last.

    The filter is that of ``codegen.pixels.resample``.
    """
    floats = images.float()
    if side != floats.shape[-1]:
        floats = F.interpolate(
            floats, size=side, mode="bilinear", align_corners=False, antialias=True
        )
    return ((floats - 128) / 128).contiguous(memory_format=torch.channels_last)
