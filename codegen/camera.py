"""Frames of cameras as red, green and blue, in the integers of runtime/preprocess/frame.hpp."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def unpack(frame: Bytes, pixel_format: str) -> Bytes:
    """Bytes (H, W, bytes of a pixel) as (H, W, 3), or (H, W, 1) of ``gray8``."""
    if pixel_format in ("gray8", "rgb888"):
        return frame
    if pixel_format == "bgr888":
        return frame[:, :, ::-1]
    if pixel_format.startswith("rgb565"):
        return _rgb565(frame, low=1 if pixel_format.endswith("swapped") else 0)
    return _yuv422(frame, luma=1 if pixel_format.endswith("swapped") else 0)


def gray(pixels: Bytes) -> Bytes:
    """The luma (..., 1) of red, green and blue (..., 3), by ITU-R BT.601 in 8 bits of fraction."""
    sums = pixels.astype(np.int32) @ np.array([77, 150, 29])
    luma: Bytes = ((sums + 128) >> 8).astype(np.uint8)[..., np.newaxis]
    return luma


def _rgb565(frame: Bytes, low: int) -> Bytes:
    packed = frame[:, :, low].astype(np.int32) | frame[:, :, 1 - low].astype(np.int32) << 8
    red, green, blue = packed >> 11, packed >> 5 & 63, packed & 31
    parts = red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2
    return np.stack(parts, axis=2).astype(np.uint8)


def _yuv422(frame: Bytes, luma: int) -> Bytes:
    numbers = frame.astype(np.int32)
    bright = numbers[:, :, luma] * 65536 + 32768
    differences = numbers[:, :, 1 - luma] - 128
    blue, red = (np.repeat(differences[:, start::2], 2, axis=1) for start in (0, 1))
    parts = bright + 91881 * red, bright - 22554 * blue - 46802 * red, bright + 116130 * blue
    colors: Bytes = np.clip(np.stack(parts, axis=2) >> 16, 0, 255).astype(np.uint8)
    return colors
