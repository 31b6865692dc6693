"""How networks see the bytes of an image; without torch."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from codegen import durable
from codegen.normalisation import Normalisation
from codegen.pixels import resize
from tinyml_nas.types import STANDARD, Images, Seen

FILE = "input.json"
"""Beside a network that sees otherwise than this program's own."""

LUMA = (19595, 38470, 7471)
LUMA_HALF, LUMA_BITS = 1 << 15, 16
"""ITU-R 601 in integers, as Pillow has it: grey bytes stay what they are."""

USUAL = """\
of bytes 0..255; usual are
  mean=128 std=128 (as this program trains), mean=0 std=255 (torchvision's ToTensor), mean=127.5 std=127.5 (-1 to 1),
  mean=[123.675,116.28,103.53] std=[58.395,57.12,57.375] (ImageNet's), mean=0 std=1 (bytes, where the network rescales)"""


def write(seen: Seen, folder: Path) -> None:
    """Put it beside a network."""
    durable.write(folder / FILE, json.dumps(asdict(seen)) + "\n")


def read(folder: Path) -> Seen:
    """What lies beside a network; this program's own where nothing does."""
    path = folder / FILE
    return from_json(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else STANDARD


def from_json(value: Any) -> Seen:
    """What ``asdict`` made of it."""
    return Seen(**{**value, "mean": tuple(value["mean"]), "std": tuple(value["std"])})


def normalisation(seen: Seen) -> Normalisation:
    """The same as the compiler has it, a number for each channel."""
    mean, std = ((row * seen.channels)[: seen.channels] for row in (seen.mean, seen.std))
    return Normalisation(mean, std, "as it was trained")


def pixels(images: Images, side: int, seen: Seen) -> npt.NDArray[np.uint8]:
    """Bytes (N, side, side, channels)."""
    resized = resize(images.pixels, side)
    if seen.channels == 3:
        return resized
    luma = (resized.astype(np.int64) @ LUMA + LUMA_HALF) >> LUMA_BITS
    return luma.astype(np.uint8)[..., np.newaxis]


def inputs(
    images: Images, side: int, seen: Seen, dtype: Literal["int8", "float32"]
) -> npt.NDArray[np.generic]:
    """What a network of ``dtype`` takes, (N, side, side, channels)."""
    shown = pixels(images, side, seen)
    if dtype == "float32":
        return normalisation(seen).reals(shown)
    return normalisation(seen).codes(shown, seen.scale, seen.zero_point)
