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


def zoomed(images: Tensor, least: float, rng: np.random.Generator) -> Tensor:
    """Show at least the share ``least`` of each image of (N, C, H, W), in bytes, as large as the whole.

    Share and place are drawn uniformly, the proportions by up to a factor of e^0.25 either way
    (inception crops, Szegedy et al. 2015).
    """
    count, _, height, width = images.shape
    edge = np.sqrt(rng.uniform(least, 1, count))
    stretch = np.exp(rng.uniform(-0.25, 0.25, count))
    size = np.minimum(np.stack([edge * stretch, edge / stretch]), 1)
    middle = (1 - size) * rng.uniform(-1, 1, (2, count))
    grid = np.zeros((count, 2, 3), np.float32)
    grid[:, (0, 1), (0, 1)], grid[:, :, 2] = size.T, middle.T
    shape = [count, 1, height, width]
    where = F.affine_grid(torch.from_numpy(grid).to(images.device), shape, align_corners=False)
    shown = F.grid_sample(images.float(), where, align_corners=False, padding_mode="reflection")
    return shown.round().clamp(0, 255).to(torch.uint8)


def recoloured(images: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Change the contrast of each image of (N, 3, H, W) by up to ``strength``, and the level of each colour.

    That moves by up to ``strength`` of a quarter of the range.
    """
    count = len(images)
    contrast = rng.uniform(1 - strength, 1 + strength, (count, 1, 1, 1)).astype(np.float32)
    level = (rng.uniform(-strength, strength, (count, 3, 1, 1)) * GREY / 2).astype(np.float32)
    scale, shift = (torch.from_numpy(value).to(images.device) for value in (contrast, level))
    return ((images.float() - GREY) * scale + GREY + shift).round().clamp(0, 255).to(torch.uint8)


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
