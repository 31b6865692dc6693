"""All of CIFAR-10: 45,000 training, 5,000 validation and 10,000 test images.

Krizhevsky 2009, "Learning multiple layers of features from tiny images".
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from tinyml_nas.data.base import DataError
from tinyml_nas.data.cifar10_files import (
    ARCHIVE,
    CLASS_NAMES,
    FOLDER,
    TEST_FILES,
    TRAINING_FILES,
    URL,
    images_of,
    read_records,
)
from tinyml_nas.data.known import check
from tinyml_nas.data.splits import PER_CLASS, SPLIT_SHA256, index_digest, training_splits
from tinyml_nas.data.subset import check_classes, digest_of, names_of
from tinyml_nas.data.subset import images_of as kept
from tinyml_nas.types import Images, SplitName


@dataclass(frozen=True)
class Cifar10:
    """CIFAR-10 in its official binary layout, ``root/cifar-10-batches-bin/*.bin``.

    Files that are missing are taken from ``root/cifar-10-binary.tar.gz``, which is downloaded
    where it is missing too. Every file is checked against its official MD5 each time it is read.
    Where ``only_classes`` names some, there are no others.
    """

    root: Path
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
        """45,000, 5,000 or 10,000; of the classes that are kept. All have as many."""
        return PER_CLASS[name] * (self.classes if label is None else 1)

    def check(self) -> None:
        """What is missing is downloaded."""

    def digest(self) -> str:
        """SHA-256 over the official checksums and the splits; ``root`` plays no part."""
        identity = {
            "files": [known.md5 for known in (*TRAINING_FILES, *TEST_FILES)],
            "splits": dict(SPLIT_SHA256),
        }
        whole = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        return digest_of(whole, self.only_classes)

    def split(self, name: SplitName) -> Images:
        """Load one split, in ascending order of the official index.

        Raises:
            DataError: a file is missing and cannot be fetched, or is not the official one.
        """
        _provide(self.root)
        if name == "test":
            return kept(images_of(read_records(self.root / FOLDER, TEST_FILES)), self.only_classes)
        records = read_records(self.root / FOLDER, TRAINING_FILES)
        indices = training_splits(records)[name]
        if index_digest(indices) != SPLIT_SHA256[name]:
            raise DataError(f"the {name} split is not the one fixed in tinyml_nas/data/splits.py")
        return kept(images_of(records[indices]), self.only_classes)


def _provide(root: Path) -> None:
    """See to it that every official file exists under ``root``."""
    folder = root / FOLDER
    files = (*TRAINING_FILES, *TEST_FILES)
    if all((folder / known.name).exists() for known in files):
        return
    # Imported here: most runs never download, and all of them compose a configuration first.
    from filelock import FileLock

    from tinyml_nas.data.download import fetch, unpack

    archive = root / ARCHIVE.name
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".cifar-10.lock"):
            downloaded = not archive.exists()
            if downloaded:
                fetch(URL, archive, ARCHIVE)
            else:
                check(archive, ARCHIVE)
            missing = {
                f"{FOLDER}/{known.name}": known
                for known in files
                if not (folder / known.name).exists()
            }
            unpack(archive, missing, folder)
            if downloaded:
                archive.unlink()
    except OSError as error:
        raise DataError(_instructions(root, error)) from error


def _instructions(root: Path, error: OSError) -> str:
    lines = [
        f"CIFAR-10 is not complete under data.root={root}, and fetching {URL} failed: {error}",
        "Put there by hand, either",
        f"  {root / ARCHIVE.name}  ({ARCHIVE.size_bytes:,} bytes, MD5 {ARCHIVE.md5})",
        "or each of",
    ]
    for known in (*TRAINING_FILES, *TEST_FILES):
        path = root / FOLDER / known.name
        state = "present" if path.exists() else "missing"
        lines.append(f"  {path}  ({known.size_bytes:,} bytes, MD5 {known.md5}; {state})")
    lines.append("or choose the embedded sample, which needs no download: dataset=cifar10_sample")
    return "\n".join(lines)
