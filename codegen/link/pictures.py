"""Pictures from files, and folders of them: what a person has of what a camera sees.

A folder of pictures, or one with a folder for each class. The one module that needs Pillow.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen.camera import gray
from codegen.pixels import resample

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
Bytes = npt.NDArray[np.uint8]


class PictureError(ValueError):
    """What is no picture, or cannot be read as one; the message names the file."""


@dataclass(frozen=True)
class Pictures:
    """Files of pictures, and the class of each by name; None where no folder names one."""

    paths: tuple[Path, ...]
    classes: tuple[str, ...] | None


def find(path: Path) -> Pictures | None:
    """The picture at ``path``, or those in that folder; None where there is none."""
    if not path.is_dir():
        return Pictures((path,), None) if path.suffix.lower() in SUFFIXES else None
    own = _in(path)
    below = [(found, folder.name) for folder in sorted(path.iterdir()) for found in _in(folder)]
    if own and below:
        raise PictureError(
            f"{path}: has pictures and folders of pictures ({below[0][1]}); a folder for each class, "
            "or pictures alone"
        )
    if below:
        return Pictures(tuple(found for found, _ in below), tuple(name for _, name in below))
    return Pictures(tuple(own), None) if own else None


def read(path: Path, height: int, width: int, channels: int) -> Bytes:
    """A picture (height, width, channels): its middle in that shape, resized as a device does it.

    Raises:
        PictureError: it cannot be read, Pillow is missing, or a network has neither 1 nor 3 channels.
    """
    if channels not in (1, 3):
        raise PictureError(f"{path}: pictures have 1 or 3 channels; the network takes {channels}")
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise PictureError(
            f"{path}: a picture needs Pillow, which is not installed: pip install pillow"
        ) from error
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            colors = np.asarray(upright.convert("RGB"), np.uint8)
    except Exception as error:  # Pillow raises whatever a damaged file leads it to
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PictureError(f"{path}: cannot be read as a picture: {reason}") from error
    middle = _middle(colors, height, width)
    seen = gray(middle) if channels == 1 else middle
    resized: Bytes = resample(seen[np.newaxis], height, width)[0]
    return resized


def _in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [found for found in sorted(folder.iterdir()) if found.suffix.lower() in SUFFIXES]


def _middle(pixels: Bytes, height: int, width: int) -> Bytes:
    """The largest part in the middle with the sides of ``height`` x ``width``."""
    rows, columns = pixels.shape[:2]
    tall = min(rows, max(1, columns * height // width))
    wide = min(columns, max(1, rows * width // height))
    top, left = (rows - tall) // 2, (columns - wide) // 4 * 2  # as centre_square of the device
    part: Bytes = pixels[top : top + tall, left : left + wide]
    return part
