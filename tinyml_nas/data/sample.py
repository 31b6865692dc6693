"""The embedded sample: 6,000 real CIFAR-10 images that travel with the package.

4,000 of the 45,000 training images, 1,000 of the 5,000 validation images and 1,000 of the 10,000
test images, class-balanced, losslessly compressed (``tools/make_sample.py`` makes the files). What is
trained, tuned or reported on the sample stays inside the same split of the full data set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from tinyml_nas.data.base import DataError
from tinyml_nas.data.cifar10_files import CLASS_NAMES
from tinyml_nas.data.splits import SAMPLE_PER_CLASS
from tinyml_nas.data.sprites import decode_sheet
from tinyml_nas.data.subset import check_classes, digest_of, images_of, names_of
from tinyml_nas.types import Images, SplitName

FOLDER = Path(__file__).parent / "cifar10_sample"
DATA = ()  # the files are known by the digests below
FILE_SHA256: Mapping[str, str] = MappingProxyType(
    {
        "train.webp": "b914383fadd3b49ac722d793a003bda7473e6b91f35f1705bea8d6b856e4b3a1",
        "validation.webp": "d8f3eb779b34bde89bca717d9848695ab2c254ffdc3549689a843824b4fda8d1",
        "test.webp": "8d6bd1cf602ac1d18a90fdc828819a08fc35bb86e198c0b069f6c6dce522b20e",
        "index.json": "3afd079a2188370ea52eec976c1a12a5e829cc11b673c18aa4f50e7571492560",
    }
)


@dataclass(frozen=True)
class Cifar10Sample:
    """Splits of 4,000 / 1,000 / 1,000 images, every class alike; needs no download.

    Where ``only_classes`` names some, there are no others.
    """

    only_classes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check_classes(self.only_classes, len(CLASS_NAMES))

    @property
    def classes(self) -> int:
        """Ten, or as many as are kept."""
        return len(self.class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """CIFAR-10's names."""
        return names_of(CLASS_NAMES, self.only_classes)

    def count(self, name: SplitName, label: int | None = None) -> int:
        """4,000, 1,000 or 1,000; of the classes that are kept. All have as many."""
        return SAMPLE_PER_CLASS[name] * (self.classes if label is None else 1)

    def check(self) -> None:
        """It travels with the package."""

    def digest(self) -> str:
        """SHA-256 over the digests of the sample's files."""
        whole = hashlib.sha256(json.dumps(dict(FILE_SHA256), sort_keys=True).encode()).hexdigest()
        return digest_of(whole, self.only_classes)

    def split(self, name: SplitName) -> Images:
        """Load one split, in ascending order of the official index.

        Raises:
            DataError: a file of the package is missing or damaged.
        """
        pixels = decode_sheet(_checked(f"{name}.webp"), side=32)
        labels = np.array(_index()[name]["labels"], dtype=np.uint8)
        return images_of(Images(pixels, labels), self.only_classes)

    def indices(self, name: SplitName) -> npt.NDArray[np.int64]:
        """Official index (N,) of each image; see ``splits``."""
        found = _index()[name]
        indices = np.array(found["indices"], dtype=np.int64)
        only = self.only_classes
        return indices if only is None else indices[np.isin(found["labels"], only)]


def _index() -> dict[str, dict[str, list[int]]]:
    index: dict[str, dict[str, list[int]]] = json.loads(_checked("index.json"))
    return index


def _checked(name: str) -> bytes:
    path = FOLDER / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); it belongs to the package: reinstall it"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != FILE_SHA256[name]:
        raise DataError(
            f"{path}: corrupt: SHA-256 {found}, expected {FILE_SHA256[name]}; "
            "it belongs to the package: reinstall it"
        )
    return content
