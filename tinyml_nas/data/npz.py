"""Arrays of images: an .npz file with ``images`` and ``labels``, and maybe the names of the classes."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_nas.data.own_pictures import (
    LEAST_SIDE,
    MOST_CLASSES,
    MOST_SIDE,
    check_own,
    held_back,
    listed,
)
from tinyml_nas.data.pictures import Framing, framed
from tinyml_nas.data.subset import check_classes, digest_of, images_of, names_of
from tinyml_nas.types import Images, SplitName

LEAST_PER_CLASS = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Npz:
    """``root/file`` holds ``images``, uint8 (N, H, W), (N, H, W, 1) or (N, H, W, 3), and ``labels`` (N,) from 0.

    ``class_names`` in the file are texts, one a class; without them classes go by their numbers. Where it
    holds ``test_images`` and ``test_labels``, these are the test images; else ``test_share`` of each class.
    Who belongs in a split follows from the pixels, so that one picture is never in two. A picture that is there
    several times is taken once; one that has two labels is refused, as one of them must be wrong.

    Args:
        root: Folder of data sets.
        file: Name of the file.
        side: Pixels along a side of the images that come out; null keeps theirs, if they are square.
        framing: How an image becomes square, see ``pictures.framed``.
        validation_share: Share of a class on which networks are chosen.
        test_share: Share of a class on which the result is measured.
        most_images: Take at most so many that are not test images, by the ranks of their pixels; null takes all.
        skip_faulty: Go on without the pictures that have two labels; else they are refused.
        only_classes: Numbers of the classes that are kept; null keeps all.
    """

    root: Path
    file: str = "data.npz"
    side: int | None = None
    framing: Framing = "crop"
    validation_share: float = 0.1
    test_share: float = 0.2
    most_images: int | None = None
    skip_faulty: bool = False
    only_classes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not self.file or Path(self.file).name != self.file:
            raise ValueError(f"dataset.file: must be a file's name; got {self.file!r}")
        check_own(self, side=f"null or from {LEAST_SIDE} to {MOST_SIDE}")
        if self.most_images is not None and self.most_images < 1:
            raise ValueError(
                f"dataset.most_images: must be null or at least 1; got {self.most_images}"
            )

    @property
    def classes(self) -> int:
        """As many as have labels, or as are kept."""
        return len(self.class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """As the file has them."""
        return names_of(self._content.class_names, self.only_classes)

    def count(self, name: SplitName, label: int | None = None) -> int:
        """Images of a split, or of one class of it."""
        found, kept = self._content, self.only_classes or range(len(self._content.class_names))
        counts = np.bincount(found.splits[name].labels, minlength=len(found.class_names))
        return int(counts[list(kept) if label is None else kept[label]].sum())

    def check(self) -> None:
        """Read the file.

        Raises:
            ValueError: saying what is wrong with it.
        """
        check_classes(self.only_classes, len(self._content.class_names))

    def digest(self) -> str:
        """SHA-256 over pixels, labels, splits and names."""
        content = self._content
        digest = hashlib.sha256(json.dumps(content.class_names).encode())
        for name, images in content.splits.items():
            digest.update(f"{name} {images.pixels.shape}\n".encode())
            digest.update(images.pixels.tobytes() + images.labels.tobytes())
        return digest_of(digest.hexdigest(), self.only_classes)

    def split(self, name: SplitName) -> Images:
        """Load one split, in the order of the SHA-256 of the pixels, which mixes classes."""
        return images_of(self._content.splits[name], self.only_classes)

    @property
    def _content(self) -> Content:
        return _read(
            self.root / self.file,
            self.side,
            self.framing,
            self.validation_share,
            self.test_share,
            self.most_images,
            skip_faulty=self.skip_faulty,
        )


@dataclass(frozen=True, eq=False)
class Content:
    """All of a file."""

    class_names: tuple[str, ...]
    splits: dict[SplitName, Images]


@lru_cache(maxsize=2)
def _read(
    path: Path,
    side: int | None,
    framing: Framing,
    validation_share: float,
    test_share: float,
    most_images: int | None,
    *,
    skip_faulty: bool,
) -> Content:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise ValueError(f"dataset.file: {path}: cannot be read as .npz ({error})") from error
    there = {"images": _images(arrays, "", path, side, framing)}
    if "test_images" in arrays:
        there["test_images"] = _images(arrays, "test_", path, side, framing)
    classes = 1 + max(int(images.labels.max(initial=0)) for images in there.values())
    names = _names(arrays, classes, path)
    ranks = {array: _ranks(images) for array, images in there.items()}
    faulty = _labelled_twice(there, ranks, names, path, skip_faulty=skip_faulty)
    known = ranks.get("test_images", [])
    left = _first_of_each(there["images"], ranks["images"], faulty | set(known))
    splits: dict[SplitName, Images] = {}
    if known:
        order = [n for n in np.argsort(known).tolist() if known[n] not in faulty]
        splits["test"] = there["test_images"][np.array(order, np.int64)]
    else:
        splits["test"], left = _shared(left, test_share, len(names))
    left = left[: most_images or len(left)]
    splits["validation"], splits["train"] = _shared(left, validation_share, len(names))
    _check_counts(splits, names, path)
    return Content(names, splits)


def _images(
    arrays: dict[str, npt.NDArray[np.generic]],
    prefix: str,
    path: Path,
    side: int | None,
    framing: Framing,
) -> Images:
    """Images and labels under a prefix."""
    missing = [name for name in (f"{prefix}images", f"{prefix}labels") if name not in arrays]
    if missing:
        raise ValueError(
            f"dataset.file: {path}: lacks {', '.join(missing)}; it has {', '.join(arrays) or 'nothing'}"
        )
    pixels, labels = arrays[f"{prefix}images"], arrays[f"{prefix}labels"]
    if pixels.ndim == 3:
        pixels = pixels[..., np.newaxis]
    whole = (
        labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer) and len(labels) == len(pixels)
    )
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (1, 3) or not whole:
        raise ValueError(
            f"dataset.file: {path}: {prefix}images must be uint8 (N, H, W), (N, H, W, 1) or (N, H, W, 3), and "
            f"{prefix}labels whole numbers (N,); got {pixels.dtype.name} {pixels.shape} and "
            f"{labels.dtype.name} {labels.shape}"
        )
    numbers = labels.astype(np.int64)
    if not len(numbers) or numbers.min() < 0 or numbers.max() >= MOST_CLASSES:
        raise ValueError(
            f"dataset.file: {path}: {prefix}labels must be from 0 to {MOST_CLASSES - 1}, and not none; got "
            f"{len(numbers)}"
            + (f", from {numbers.min()} to {numbers.max()}" if len(numbers) else "")
        )
    height, width = pixels.shape[1:3]
    if side is None and (height != width or not LEAST_SIDE <= height <= MOST_SIDE):
        raise ValueError(
            f"dataset.side: must be given for images of {height} x {width} pixels: from {LEAST_SIDE} to {MOST_SIDE}"
        )
    in_bytes = np.repeat(pixels, 3, axis=3) if pixels.shape[3] == 1 else pixels
    square = side or height
    out = np.stack([framed(picture.astype(np.uint8), square, framing) for picture in in_bytes])
    return Images(out, numbers.astype(np.uint8))


def _names(arrays: dict[str, npt.NDArray[np.generic]], classes: int, path: Path) -> tuple[str, ...]:
    if "class_names" not in arrays:
        return tuple(str(number) for number in range(classes))
    names = tuple(str(name) for name in arrays["class_names"].ravel())
    if len(names) < classes or len(set(names)) != len(names):
        raise ValueError(
            f"dataset.file: {path}: class_names must be {classes} different names or more, for the labels up to "
            f"{classes - 1}; got {list(names)}"
        )
    return names


def _ranks(images: Images) -> list[bytes]:
    return [hashlib.sha256(picture.tobytes()).digest() for picture in images.pixels]


def _labelled_twice(
    there: Mapping[str, Images],
    ranks: Mapping[str, list[bytes]],
    names: tuple[str, ...],
    path: Path,
    *,
    skip_faulty: bool,
) -> set[bytes]:
    """Ranks of the pictures that have several labels, in one array or two; empty where there are none.

    Raises:
        ValueError: naming all of them, unless they are to be skipped.
    """
    first: dict[bytes, tuple[str, int]] = {}
    faulty, told = set(), []
    for array, images in there.items():
        for index, (rank, label) in enumerate(zip(ranks[array], images.labels, strict=True)):
            where, other = first.setdefault(rank, (f"{array}[{index}]", int(label)))
            if label != other:
                faulty.add(rank)
                told.append(
                    f"{array}[{index}]: is the same picture as {where}, but of another class "
                    f"({names[label]} and {names[other]})"
                )
    if told and not skip_faulty:
        raise ValueError(
            f"dataset.file: {path}: {listed('pictures that cannot be used', told)}\nMend their labels, or give "
            "dataset.skip_faulty=true: then these pictures are left out"
        )
    if told:
        _log.warning("%s: %s", path, listed("pictures that are left out", told))
    return faulty


def _first_of_each(images: Images, ranks: list[bytes], taken: set[bytes]) -> Images:
    """Each picture once and none of those that are ``taken``, in the order of their ranks."""
    seen, kept = set(taken), []
    for index in sorted(range(len(ranks)), key=lambda index: (ranks[index], index)):
        if ranks[index] not in seen:
            seen.add(ranks[index])
            kept.append(index)
    return images[np.array(kept, np.int64)]


def _shared(images: Images, share: float, classes: int) -> tuple[Images, Images]:
    """The first ``share`` of each class, and all others; both in order."""
    held = np.zeros(len(images), np.bool_)
    for number in range(classes):
        own = np.flatnonzero(images.labels == number)
        held[own[: held_back(len(own), share)]] = True
    return images[np.flatnonzero(held)], images[np.flatnonzero(~held)]


def _check_counts(splits: dict[SplitName, Images], names: tuple[str, ...], path: Path) -> None:
    if len(names) < 2:
        raise ValueError(f"dataset.file: {path}: needs at least two classes; has {len(names)}")
    for split, images in splits.items():
        for number, count in enumerate(np.bincount(images.labels, minlength=len(names))):
            if not count:
                raise ValueError(
                    f"dataset.file: {path}: class {names[number]!r} has no image for {split}; it needs at least "
                    f"{LEAST_PER_CLASS} different ones"
                )
