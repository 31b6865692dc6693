"""Your own photographs: a folder for each class, or train/, val/ and test/ above such folders."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from codegen.project import LONGEST_TEXT
from tinyml_nas.data.album import Album, Wanted, open_album, stacked
from tinyml_nas.data.own_pictures import LEAST_SIDE, MOST_SIDE, check_own
from tinyml_nas.data.pictures import Framing
from tinyml_nas.data.subset import check_classes, digest_of, images_of, names_of
from tinyml_nas.types import Images, SplitName


@dataclass(frozen=True)
class Folder:
    """Pictures in JPEG, PNG or WebP, of any sizes, in a folder for each class whose name it has.

    Where ``root`` has a folder ``train``, that one, ``val`` and ``test`` hold the folders of classes; a split
    that has none is taken out of ``train``. Which pictures these are follows from their pixels alone, so that
    no picture is in two.

    Args:
        root: Folder of the pictures.
        side: Pixels along a side of the images that come out; networks shrink them further.
        framing: How a picture becomes square: ``crop`` takes its middle, ``stretch`` all of it.
        grey: Take colours away, for a device whose camera has none.
        validation_share: Share of a class on which networks are chosen, where there is no ``val``.
        test_share: Share of a class on which the result is measured, where there is no ``test``.
        skip_faulty: Go on without files that cannot be read, or are there twice; else they are refused.
        only_classes: Numbers of the classes that are kept, in the order of their names; null keeps all.
    """

    root: Path
    side: int = 96
    framing: Framing = "crop"
    grey: bool = False
    validation_share: float = 0.2
    test_share: float = 0.2
    skip_faulty: bool = False
    only_classes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check_own(self, side=f"from {LEAST_SIDE} to {MOST_SIDE}")

    @property
    def classes(self) -> int:
        """As many as there are folders, or as are kept."""
        return len(self.class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the folders, sorted."""
        return names_of(self._album.class_names, self.only_classes)

    def count(self, name: SplitName, label: int | None = None) -> int:
        """Pictures of a split that can be used, or of one class of it."""
        names = self.class_names
        kept = set(names if label is None else names[label : label + 1])
        return sum(photo.class_name in kept for photo in self._album.splits[name])

    def check(self) -> None:
        """Read every picture once, and refuse what cannot be used.

        Raises:
            ValueError: naming all files that are at fault, or the classes that lack pictures.
        """
        names = self._album.class_names
        check_classes(self.only_classes, len(names))
        for name in names:
            if len(name.encode()) > LONGEST_TEXT or not name.isprintable():
                raise ValueError(
                    f"dataset.root: the folder {name!r} names a class, which must be printable and at most "
                    f"{LONGEST_TEXT} bytes long; rename it"
                )

    def digest(self) -> str:
        """SHA-256 over every picture's digest, split and class, and how they are framed; ``root`` plays no part."""
        content = {
            split: [[photo.picture.digest, photo.class_name] for photo in photos]
            for split, photos in self._album.splits.items()
        }
        look = [self.side, self.framing, self.grey, self._album.class_names]
        whole = hashlib.sha256(json.dumps([content, look], sort_keys=True).encode()).hexdigest()
        return digest_of(whole, self.only_classes)

    def split(self, name: SplitName) -> Images:
        """Load one split, in the order of the pictures' digests, which mixes classes."""
        photos, names = self._album.splits[name], self._album.class_names
        labels = np.array([names.index(photo.class_name) for photo in photos], np.uint8)
        return images_of(Images(stacked(photos, self.side), labels), self.only_classes)

    @property
    def _album(self) -> Album:
        wanted = Wanted(
            side=self.side,
            framing=self.framing,
            grey=self.grey,
            validation_share=self.validation_share,
            test_share=self.test_share,
            skip_faulty=self.skip_faulty,
        )
        return _opened(self.root, wanted)


@lru_cache(maxsize=2)  # a data set and a field
def _opened(root: Path, wanted: Wanted) -> Album:
    return open_album(root, wanted)
