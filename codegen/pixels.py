"""From camera bytes to the network's input, in integers that a microcontroller can repeat.

For networks that see (p - 128) / 128 for a byte p, so that the int8 code of a pixel (scale 1/128,
zero point 0) is p - 128: the device needs no arithmetic to prepare an image of the right size.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

MEAN = STD = 128.0
INPUT_SCALE = 1.0 / 128.0
INPUT_ZERO_POINT = 0
FRACTION_BITS = 7  # of the position between two pixels, where an image grows
CHUNK = 1000  # images that are resized at once


def resize(pixels: Bytes, side: int) -> Bytes:
    """Resize square images (N, H, H, C) to (N, side, side, C), as ``resample`` does."""
    source = pixels.shape[1]
    if pixels.ndim != 4 or pixels.shape[2] != source:
        raise ValueError(f"images: must be square, (N, side, side, 3); got {pixels.shape}")
    return pixels if side == source else resample(pixels, side, side)


def resample(pixels: Bytes, height: int, width: int) -> Bytes:
    """Resize images (N, H, W, C) to (N, height, width, C): bilinear, half-pixel centres, antialiased.

    Along an axis that grows, a pixel lies between two others; along one that shrinks, it is the mean
    of all that it covers, weighted by a triangle (the bilinear filter of Pillow, and of torch with
    ``antialias=True``). All weights are integers, and the only rounding is that of the quotient.
    """
    down, across = _weights(pixels.shape[1], height), _weights(pixels.shape[2], width)
    totals = down.sum(1)[:, np.newaxis, np.newaxis] * across.sum(1)[:, np.newaxis]
    out = np.empty((len(pixels), height, width, pixels.shape[3]), np.uint8)
    for start in range(0, len(pixels), CHUNK):
        part = pixels[start : start + CHUNK].astype(np.float64)  # exact: sums stay below 2^53
        rows = np.tensordot(part, down, (1, 1))  # (N, W, C, height)
        sums = np.tensordot(rows, across, (1, 1)).transpose(0, 2, 3, 1)
        out[start : start + CHUNK] = np.floor((2 * sums + totals) / (2 * totals))
    return out


def normalise(pixels: Bytes) -> npt.NDArray[np.float32]:
    """Map bytes to the network's range [-1, 1): float32 of the same shape."""
    return (pixels.astype(np.float32) - 128) * np.float32(INPUT_SCALE)


def to_codes(pixels: Bytes) -> npt.NDArray[np.int8]:
    """Map bytes to the int8 codes of the quantized network's input."""
    return (pixels ^ np.uint8(128)).view(np.int8)


def _weights(source: int, side: int) -> npt.NDArray[np.float64]:
    """Weight of each of ``source`` pixels in each of ``side`` (side, source): integers.

    A triangle of half width ``reach`` around the target's centre, in steps of ``step`` a pixel.
    """
    target, pixel = np.arange(side)[:, np.newaxis], np.arange(source)
    if side < source:
        step, reach = 2 * side, 2 * source
        centre = (2 * target + 1) * source - side
    else:
        step = reach = 1 << FRACTION_BITS
        doubled = (2 * target + 1) * source * step
        centre = ((doubled + side) // (2 * side) - step // 2).clip(0, (source - 1) * step)
    weights: npt.NDArray[np.float64]
    weights = np.maximum(reach - np.abs(pixel * step - centre), 0).astype(np.float64)
    return weights
