"""Images and labels from files, as the board's network takes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen.arrays import ArrayFileError, read_npy, read_npy_or_npz
from codegen.link.messages import Hello
from codegen.pixels import INPUT_SCALE, INPUT_ZERO_POINT, normalise, resize, to_codes

CIFAR10_FILES = {
    "test": ("test_batch.bin",),
    "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
}
CIFAR10_SHAPE = (3, 32, 32)


class DataError(ValueError):
    """A file does not hold images and labels that the board can take."""


@dataclass(frozen=True, eq=False)
class Samples:
    """``images`` (N, H, W, C), and their classes ``labels`` (N,)."""

    images: npt.NDArray[np.generic]
    labels: npt.NDArray[np.int64]


def load(path: Path, labels: Path | None = None, split: str = "test") -> Samples:
    """Read images and labels.

    ``path`` is an .npz file with ``images`` and ``labels``; or an .npy file of images, with another
    one of ``labels``; or a folder with CIFAR-10's binary version, of which ``split`` is read.

    Raises:
        DataError: it is none of these.
    """
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError) as error:  # a name too long, a zero byte
        raise DataError(f"data: {error}") from error
    if is_folder and labels is not None:
        raise DataError(f"--labels: goes with an .npy file of images; {path} is a folder")
    if is_folder:
        return _cifar10(path, split)
    if not is_file:
        raise DataError(f"{path}: there is no such file")
    try:
        images, classes = _arrays(path, labels)
    except ArrayFileError as error:
        raise DataError(str(error)) from error
    if images.ndim != 4 or classes.shape != images.shape[:1] or classes.dtype.kind not in "iu":
        raise DataError(
            f"{path}: images must be (N, height, width, channels) and labels whole numbers (N,); "
            f"got {images.shape} and {classes.dtype.name} {classes.shape}"
        )
    return Samples(images, classes.astype(np.int64))


def prepare(samples: Samples, hello: Hello) -> Samples:
    """``samples`` in the network's shape and codes.

    Codes (of the network's own dtype) pass unchanged. Bytes from a camera are resized, and become
    codes as codegen.pixels says, if that is how the network was trained.

    Raises:
        DataError: they cannot be made to fit.
    """
    images, labels = samples.images, samples.labels
    if not len(labels):
        raise DataError("images: there are none")
    if not 0 <= labels.min() <= labels.max() < hello.classes:
        raise DataError(
            f"labels: must be in 0..{hello.classes - 1}, the board's classes; "
            f"got {labels.min()}..{labels.max()}"
        )
    if images.dtype == np.uint8:
        images = _from_bytes(images.astype(np.uint8), hello)
    if images.dtype == np.float32:
        _check_finite(images.astype(np.float32))
    if images.shape[1:] != hello.image or images.dtype != hello.pixel_dtype:
        raise DataError(
            f"images: the board takes {hello.pixel_dtype.name} {hello.image}, or uint8 of the same "
            f"channels; got {images.dtype.name} {images.shape[1:]}"
        )
    return Samples(images, labels)


def _arrays(
    path: Path, labels: Path | None
) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    loaded = read_npy_or_npz(path, ("images", "labels"))
    if isinstance(loaded, dict):
        if labels is not None:
            raise DataError(f"--labels: goes with an .npy file of images; {path} has its own")
        return loaded["images"], loaded["labels"]
    if labels is None:
        raise DataError(f"{path}: holds images only; name the labels with --labels FILE.npy")
    return loaded, read_npy(labels)


def _check_finite(images: npt.NDArray[np.float32]) -> None:
    wrong = ~np.isfinite(images).all(axis=(1, 2, 3))
    if wrong.any():
        raise DataError(
            f"images: must be finite; image {int(wrong.argmax())} is not, "
            f"and {int(wrong.sum())} of {len(images)} in all"
        )


def _from_bytes(images: npt.NDArray[np.uint8], hello: Hello) -> npt.NDArray[np.generic]:
    height, width, channels = hello.image
    if images.shape[1:] != hello.image:
        if height != width or images.shape[1] != images.shape[2] or images.shape[3] != channels:
            raise DataError(f"images: cannot make {hello.image} of {images.shape[1:]}; resize them")
        images = resize(images, height)
    if hello.pixel_dtype == np.float32:
        return normalise(images)
    expected = np.float32(INPUT_SCALE), INPUT_ZERO_POINT
    if (np.float32(hello.pixel_scale), hello.pixel_zero_point) != expected:
        raise DataError(
            "images: bytes become codes as (p - 128) / 128, at scale 1/128 and zero point 0; the "
            f"network's input has scale {hello.pixel_scale:g} and zero point "
            f"{hello.pixel_zero_point}: give images in its own int8 codes"
        )
    return to_codes(images)


def _cifar10(folder: Path, split: str) -> Samples:
    inner = folder / "cifar-10-batches-bin"
    folder = inner if inner.is_dir() else folder
    row = 1 + int(np.prod(CIFAR10_SHAPE))
    parts = []
    for name in CIFAR10_FILES[split]:
        try:
            content = np.fromfile(folder / name, np.uint8)
        except OSError as error:
            raise DataError(f"{folder}: no CIFAR-10 in its binary version: {error}") from error
        if not content.size or content.size % row:
            raise DataError(f"{folder / name}: must be rows of {row} bytes; got {content.size}")
        parts.append(content.reshape(-1, row))
    rows = np.concatenate(parts)
    planes = rows[:, 1:].reshape(-1, *CIFAR10_SHAPE)
    return Samples(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), rows[:, 0].astype(np.int64))
