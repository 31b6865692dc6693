"""One photograph from any file that people have, as a network's input shows it: upright, RGB, square."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from codegen.pixels import resample

Framing = Literal["crop", "stretch"]
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LEAST_SIDE = 8
MOST_PIXELS = 100_000_000
OVERSAMPLED = 4
"""Pixels for each pixel of the result, at least, that remain where a large photograph is halved and more."""


class UnreadablePictureError(Exception):
    """A file is no picture that can be used; the message says why, in a few words."""


@dataclass(frozen=True, eq=False)
class Picture:
    """``pixels`` uint8 (side, side, 3), and the SHA-256 (hex) of the photograph as it was before."""

    pixels: npt.NDArray[np.uint8]
    digest: str


def read(path: Path, side: int, framing: Framing, *, grey: bool) -> Picture:
    """Decode a JPEG, PNG or WebP file; of an animated one the first frame.

    It is turned as its EXIF says; what is transparent becomes white; CMYK, grey and 16 bits become RGB
    in bytes. The digest is of these pixels, so that a copy in another lossless format has the same.
    ``framing`` is as in ``framed``; with ``grey``, all three channels are the luma (ITU-R 601).

    Raises:
        UnreadablePictureError: it is empty, damaged, of another format, or of a size that is of no use.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        _check_content(path)
        with Image.open(path, formats=["JPEG", "PNG", "WEBP"]) as opened:
            _check_size(opened.width, opened.height)
            upright = ImageOps.exif_transpose(opened)
            picture = _opaque(upright)
    except UnreadablePictureError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadablePictureError("is no JPEG, PNG or WebP picture") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadablePictureError(f"cannot be read ({error})") from error
    if grey:
        picture = picture.convert("L").convert("RGB")
    size = f"{picture.width} {picture.height} ".encode()
    digest = hashlib.sha256(size + picture.tobytes()).hexdigest()
    smallest = min(picture.size)
    if smallest >= 2 * OVERSAMPLED * side:
        picture = picture.reduce(smallest // (OVERSAMPLED * side))
    return Picture(framed(np.asarray(picture), side, framing), digest)


def framed(pixels: npt.NDArray[np.uint8], side: int, framing: Framing) -> npt.NDArray[np.uint8]:
    """A picture (H, W, 3) as a square (side, side, 3), by the integers of the device's own resizing.

    ``crop`` takes the middle square, as ``tinyml::centre_square`` does of a camera's frame; ``stretch``
    takes all of it, whatever that does to its proportions, as ``load_image`` of the whole frame does.
    """
    if framing == "crop":
        height, width = pixels.shape[:2]
        edge = min(height, width)
        top, left = (height - edge) // 2, (width - edge) // 2
        pixels = pixels[top : top + edge, left : left + edge]
    if pixels.shape[:2] == (side, side):
        return np.ascontiguousarray(pixels)
    out: npt.NDArray[np.uint8] = resample(pixels[np.newaxis], side, side)[0]
    return out


def _check_content(path: Path) -> None:
    if not path.stat().st_size:
        raise UnreadablePictureError("is empty")


def _check_size(width: int, height: int) -> None:
    if min(width, height) < LEAST_SIDE:
        raise UnreadablePictureError(
            f"is {width} x {height} pixels; the least is {LEAST_SIDE} x {LEAST_SIDE}"
        )
    if width * height > MOST_PIXELS:
        raise UnreadablePictureError(
            f"is {width} x {height}; the most is {MOST_PIXELS // 1_000_000} million pixels: shrink it"
        )


def _opaque(picture: Any) -> Any:
    """In RGB, over white where it has an alpha channel or a transparent colour."""
    from PIL import Image

    if picture.mode.startswith("I;16") or picture.mode == "I":
        wide = np.asarray(picture).astype(np.uint32)
        return Image.fromarray((wide >> 8).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return picture.convert("RGB")
