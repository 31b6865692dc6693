"""Sprite sheets: many small square images in one losslessly compressed picture."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt


def encode_sheet(pixels: npt.NDArray[np.uint8], columns: int = 40) -> bytes:
    """Lay RGB tiles (N, S, S, 3) out row by row and encode them as lossless WebP.

    Raises:
        ValueError: N is not a multiple of ``columns``.
    """
    from PIL import Image

    count, side = pixels.shape[:2]
    if count % columns:
        raise ValueError(f"{count} tiles do not fill rows of {columns}")
    rows = pixels.reshape(-1, columns, side, side, 3).swapaxes(1, 2)
    sheet = Image.fromarray(rows.reshape(-1, columns * side, 3))
    stream = io.BytesIO()
    sheet.save(stream, "WEBP", lossless=True, quality=100, method=6)
    return stream.getvalue()


def decode_sheet(content: bytes, side: int) -> npt.NDArray[np.uint8]:
    """Read what ``encode_sheet`` wrote: tiles (N, side, side, 3)."""
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=["WEBP"]) as picture:
        sheet = np.asarray(picture.convert("RGB"))
    rows, columns = sheet.shape[0] // side, sheet.shape[1] // side
    tiles = sheet.reshape(rows, side, columns, side, 3).swapaxes(1, 2)
    return np.ascontiguousarray(tiles.reshape(-1, side, side, 3))
