"""Imagenette: ten easy classes of ImageNet (fast.ai), for a device that learns another task."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from codegen.pixels import resample
from tinyml_nas.data.base import DataError
from tinyml_nas.types import Images, SplitName

CLASS_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "n01440764": "tench",
        "n02102040": "English springer",
        "n02979186": "cassette player",
        "n03000684": "chain saw",
        "n03028079": "church",
        "n03394916": "French horn",
        "n03417042": "garbage truck",
        "n03425413": "gas pump",
        "n03445777": "golf ball",
        "n03888257": "parachute",
    }
)
URL = "https://github.com/fastai/imagenette"
OF_CLASSES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "train": (963, 955, 993, 858, 941, 956, 961, 931, 951, 960),
        "val": (387, 395, 357, 386, 409, 394, 389, 419, 399, 390),
    }
)
COUNTS: Mapping[str, int] = MappingProxyType(
    {part: sum(counts) for part, counts in OF_CLASSES.items()}
)
VALIDATION_PER_CLASS = 200
MOST_SIDE = 1024


@dataclass(frozen=True)
class Imagenette:
    """7,469 training, 2,000 validation and 3,925 test images, ``root/folder/{train,val}/CLASS/*.JPEG``.

    Validation is 200 of each class of the official training images, test the official validation images.
    Each split is in the order of the SHA-256 of its files' names, so that classes are mixed. An image of
    another size is cut to its middle square and shrunk as the device shrinks a camera's frame.

    Args:
        root: Folder of data sets.
        folder: Version: any that fast.ai publishes, as imagenette2-160.
        side: Pixels along a side of the images that come out.
    """

    root: Path
    folder: str = "imagenette2-96"
    side: int = 96

    def __post_init__(self) -> None:
        if not self.folder or Path(self.folder).name != self.folder:
            raise ValueError(f"dataset.folder: must be a folder's name; got {self.folder!r}")
        if not 16 <= self.side <= MOST_SIDE:
            raise ValueError(f"dataset.side: must be from 16 to {MOST_SIDE}; got {self.side}")

    @property
    def classes(self) -> int:
        """Ten."""
        return len(CLASS_NAMES)

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of their WordNet numbers."""
        return tuple(CLASS_NAMES.values())

    def count(self, name: SplitName, label: int | None = None) -> int:
        """7,469, 2,000 or 3,925; of a class what fast.ai published."""
        labels = range(self.classes) if label is None else (label,)
        if name == "validation":
            return VALIDATION_PER_CLASS * len(labels)
        if name == "test":
            return sum(OF_CLASSES["val"][number] for number in labels)
        return sum(OF_CLASSES["train"][number] - VALIDATION_PER_CLASS for number in labels)

    def check(self) -> None:
        """Refuse a folder that is not there.

        Raises:
            ValueError: saying where to get it.
        """
        place = self._place
        try:
            missing = [name for name in COUNTS if not (place / name).is_dir()]
        except (OSError, ValueError) as error:
            raise ValueError(f"dataset.root: cannot be read: {error}") from error
        if missing:
            raise ValueError(
                f"dataset.root: no folder {place / missing[0]}; get Imagenette from {URL}, unpack it under "
                f"data.root, and name its folder in dataset.folder"
            )

    def digest(self) -> str:
        """SHA-256 over the names and bytes of all files, and the side."""
        return hashlib.sha256(f"{_content(self._place)} {self.side}".encode()).hexdigest()

    def split(self, name: SplitName) -> Images:
        """Load one split.

        Raises:
            DataError: a file is missing or damaged.
        """
        paths = _members(self._place)[name]
        numbers = {synset: number for number, synset in enumerate(CLASS_NAMES)}
        pixels = np.stack([_read(path, self.side) for path in paths])
        labels = np.array([numbers[path.parent.name] for path in paths], np.uint8)
        return Images(pixels, labels)

    @property
    def _place(self) -> Path:
        return self.root / self.folder


def _members(place: Path) -> dict[SplitName, list[Path]]:
    """The files of each split, in order."""
    found: dict[str, list[Path]] = {}
    for part, count in COUNTS.items():
        paths = [path for synset in CLASS_NAMES for path in (place / part / synset).glob("*.JPEG")]
        if len(paths) != count:
            raise DataError(
                f"{place / part}: must hold {count:,} images in ten folders; found {len(paths):,}. "
                f"Get Imagenette again from {URL}"
            )
        found[part] = sorted(paths, key=_rank)
    held_out = {
        path
        for synset in CLASS_NAMES
        for path in [item for item in found["train"] if item.parent.name == synset][
            :VALIDATION_PER_CLASS
        ]
    }
    return {
        "train": [path for path in found["train"] if path not in held_out],
        "validation": [path for path in found["train"] if path in held_out],
        "test": found["val"],
    }


def _rank(path: Path) -> str:
    return hashlib.sha256(path.name.encode()).hexdigest()


@cache  # once in a process
def _content(place: Path) -> str:
    digest = hashlib.sha256()
    for name, paths in _members(place).items():
        for path in paths:
            try:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                raise DataError(f"{path}: cannot be read ({error.strerror})") from error
            digest.update(f"{name} {path.parent.name} {path.name} {content}\n".encode())
    return digest.hexdigest()


def _read(path: Path, side: int) -> npt.NDArray[np.uint8]:
    """One image (side, side, 3) in RGB."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=["JPEG"]) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"{path}: cannot be read as a picture ({error})") from error
    height, width = pixels.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = pixels[np.newaxis, top : top + edge, left : left + edge]
    shrunk = square if edge == side else resample(square, side, side)
    out: npt.NDArray[np.uint8] = shrunk[0]
    return out
