"""From camera bytes to the network's input, in integers that a microcontroller can repeat.

For networks that see (p - 128) / 128 for a byte p, so that the int8 code of a pixel (scale 1/128,
zero point 0) is p - 128: the device needs no arithmetic to prepare an image of the right size.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

INPUT_SCALE = 1.0 / 128.0
INPUT_ZERO_POINT = 0
FRACTION_BITS = 7  # of the interpolation weights; two of them and a byte fit in 22 bits


def resize(pixels: Bytes, side: int) -> Bytes:
    """Resize square images (N, H, H, 3) to (N, side, side, 3): bilinear, half-pixel centres.

    Fixed point throughout: weights of ``FRACTION_BITS`` bits, one rounding at the end.
    """
    source = pixels.shape[1]
    if pixels.ndim != 4 or pixels.shape[2] != source:
        raise ValueError(f"images: must be square, (N, side, side, 3); got {pixels.shape}")
    if side == source:
        return pixels
    low, high, weight = _taps(source, side)
    rows = _blend(pixels.astype(np.int32), low, high, weight[:, None, None], axis=1)
    both = _blend(rows, low, high, weight[:, None], axis=2)
    half = 1 << (2 * FRACTION_BITS - 1)
    return ((both + half) >> (2 * FRACTION_BITS)).astype(np.uint8)


def normalise(pixels: Bytes) -> npt.NDArray[np.float32]:
    """Map bytes to the network's range [-1, 1): float32 of the same shape."""
    return (pixels.astype(np.float32) - 128) * np.float32(INPUT_SCALE)


def to_codes(pixels: Bytes) -> npt.NDArray[np.int8]:
    """Map bytes to the int8 codes of the quantized network's input."""
    return (pixels ^ np.uint8(128)).view(np.int8)


def _taps(
    source: int, side: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """The two source rows of each target row, and the second one's weight."""
    one = 1 << FRACTION_BITS
    # ((i + 1/2) * source / side - 1/2) in fixed point, rounded, and held inside the image
    doubled = (2 * np.arange(side) + 1) * source * one
    position = np.clip((doubled + side) // (2 * side) - one // 2, 0, (source - 1) * one)
    low = position >> FRACTION_BITS
    return low, np.minimum(low + 1, source - 1), (position & (one - 1)).astype(np.int32)


def _blend(
    images: npt.NDArray[np.int32],
    low: npt.NDArray[np.int64],
    high: npt.NDArray[np.int64],
    weight: npt.NDArray[np.int32],
    axis: int,
) -> npt.NDArray[np.int32]:
    one = 1 << FRACTION_BITS
    result: npt.NDArray[np.int32] = (
        images.take(low, axis) * (one - weight) + images.take(high, axis) * weight
    )
    return result
