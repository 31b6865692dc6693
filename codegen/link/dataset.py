"""Images and labels from files, as the board's network takes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen.arrays import ArrayFileError, read_npy, read_npy_or_npz
from codegen.ir import DType, Quantization, Tensor
from codegen.link.messages import Hello
from codegen.link.pictures import PictureError, Pictures, find, read
from codegen.normalisation import Normalisation, usual
from codegen.pixels import resample

CIFAR10_FILES = {
    "test": ("test_batch.bin",),
    "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
}
CIFAR10_SHAPE = (3, 32, 32)
UNKNOWN = -1  # the label of a picture whose class no folder names
Told = tuple[tuple[float, ...], tuple[float, ...]]


class DataError(ValueError):
    """A file does not hold images and labels that the board can take."""


@dataclass(frozen=True, eq=False)
class Samples:
    """``images`` (N, H, W, C), and their classes ``labels`` (N,)."""

    images: npt.NDArray[np.generic]
    labels: npt.NDArray[np.int64]


def load(path: Path, labels: Path | None = None, split: str = "test") -> Samples | Pictures:
    """Read images and labels, or find pictures.

    ``path`` is an .npz file with ``images`` and ``labels``; or an .npy file of images, with another
    one of ``labels``; a picture, a folder of pictures, one with a folder for each class; or a folder
    with CIFAR-10's binary version, of which ``split`` is read.

    Raises:
        DataError: it is none of these.
    """
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError) as error:  # a name too long, a zero byte
        raise DataError(f"data: {error}") from error
    try:
        pictures = find(path) if is_folder or is_file else None
    except (OSError, PictureError) as error:
        raise DataError(str(error)) from error
    if pictures is not None:
        if labels is not None:
            raise DataError(f"--labels: goes with an .npy file of images; {path} has pictures")
        return pictures
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


def prepare(
    samples: Samples | Pictures, hello: Hello, told: Told | None = None, *, labelled: bool = True
) -> Samples:
    """``samples`` in the network's shape and codes.

    Codes (of the network's own dtype) pass unchanged. Pictures and bytes from a camera are resized
    (antialiased), and normalised as ``told`` (mean and deviation of bytes) or as the scale of the
    board's input tells. Without ``labelled``, pictures may be of no class: ``UNKNOWN``.

    Raises:
        DataError: they cannot be made to fit.
    """
    if isinstance(samples, Pictures):
        samples = _read(samples, hello, labelled=labelled)
    images, labels = samples.images, samples.labels
    if not len(labels):
        raise DataError("images: there are none")
    if not (UNKNOWN if not labelled else 0) <= labels.min() <= labels.max() < hello.classes:
        raise DataError(
            f"labels: must be in 0..{hello.classes - 1}, the board's classes; "
            f"got {labels.min()}..{labels.max()}"
        )
    if images.dtype == np.uint8:
        images = _from_bytes(images.astype(np.uint8), hello, told)
    if images.dtype == np.float32:
        _check_finite(images.astype(np.float32))
    if images.shape[1:] != hello.image or images.dtype != hello.pixel_dtype:
        raise DataError(
            f"images: the board takes {hello.pixel_dtype.name} {hello.image}, or uint8 of the same "
            f"channels; got {images.dtype.name} {images.shape[1:]}"
        )
    return Samples(images, labels)


def class_number(text: str, hello: Hello) -> int:
    """The class that is called ``text``, or has that number.

    Raises:
        DataError: the board has no such class.
    """
    if text in hello.class_names:
        return hello.class_names.index(text)
    if text.isascii() and text.isdigit() and int(text[:9]) < hello.classes:
        return int(text)
    shown = ", ".join(hello.class_names[:20])
    raise DataError(f"label: {text!r} is no class of the board: {shown}, or 0..{hello.classes - 1}")


def _read(pictures: Pictures, hello: Hello, *, labelled: bool) -> Samples:
    if pictures.classes is None and labelled:
        raise DataError(
            f"{pictures.paths[0].parent}: the pictures have no labels: put them into a folder for "
            "each class, called by its name or number"
        )
    names = pictures.classes
    labels = (
        [class_number(name, hello) for name in names] if names else [UNKNOWN] * len(pictures.paths)
    )
    try:
        images = [read(path, *hello.image) for path in pictures.paths]
    except PictureError as error:
        raise DataError(str(error)) from error
    return Samples(np.stack(images), np.array(labels))


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


def _from_bytes(
    images: npt.NDArray[np.uint8], hello: Hello, told: Told | None
) -> npt.NDArray[np.generic]:
    height, width, channels = hello.image
    if images.shape[3] != channels or images.shape[1] * width != images.shape[2] * height:
        raise DataError(f"images: cannot make {hello.image} of {images.shape[1:]}; resize them")
    seen = _normalisation(hello, told)
    if images.shape[1:] != hello.image:
        images = resample(images, height, width)
    if hello.pixel_dtype == np.float32:
        return seen.reals(images)
    return seen.codes(images, hello.pixel_scale, hello.pixel_zero_point)


def _normalisation(hello: Hello, told: Told | None) -> Normalisation:
    is_real = hello.pixel_dtype == np.float32
    if told is None and not is_real:
        found = usual(hello.pixel_scale, hello.pixel_zero_point)
        told = found and ((found[0],), (found[1],))
    if told is None:
        tells = (
            ""
            if is_real
            else f" (scale {hello.pixel_scale:g}, zero point {hello.pixel_zero_point})"
        )
        raise DataError(
            f"images: how the training saw a byte, the board's {hello.pixel_dtype.name} input does "
            f"not tell{tells}: give --mean and --std, or images in its own {hello.pixel_dtype.name}"
        )
    quantization = (
        None if is_real else Quantization((hello.pixel_scale,), (hello.pixel_zero_point,))
    )
    dtype: DType = "float32" if is_real else "int8"
    try:
        return Normalisation.of(
            *told, Tensor("image", (1, *hello.image), dtype, quantization), "given"
        )
    except ValueError as error:
        raise DataError(f"--mean, --std: {error}") from error


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
