"""The official binary version of CIFAR-10 (Krizhevsky 2009): its files, and how they are read.

A file holds 10,000 records of 3,073 bytes: the label, then 32 x 32 pixels, all of red first, then
green, then blue. Source: https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_nas.data.base import DataError
from tinyml_nas.data.known import Known, check
from tinyml_nas.types import Images

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
FOLDER = "cifar-10-batches-bin"
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
ARCHIVE = Known("cifar-10-binary.tar.gz", 170_052_171, "c32a1d4ab5d03f1284b67883e8d13530")
RECORD_BYTES = 1 + 3 * 32 * 32
_FILE_BYTES = 10_000 * RECORD_BYTES
TRAINING_FILES = (
    Known("data_batch_1.bin", _FILE_BYTES, "5dd7e06a14cb22eb9f671a540d1b7c25"),
    Known("data_batch_2.bin", _FILE_BYTES, "5ea93a67294ea407fff1d09f752e9692"),
    Known("data_batch_3.bin", _FILE_BYTES, "942cd6a4bcdd0dd3c604fbe906cb4421"),
    Known("data_batch_4.bin", _FILE_BYTES, "ae636b3ba5c66a11e91e8cb52e771fcb"),
    Known("data_batch_5.bin", _FILE_BYTES, "53f37980c15c3d472c316c40844f3f0d"),
)
TEST_FILES = (Known("test_batch.bin", _FILE_BYTES, "803d5f7f4d78ea53de84dbe85f74fb6d"),)


def read_records(folder: Path, files: tuple[Known, ...]) -> npt.NDArray[np.uint8]:
    """Read files of ``folder`` one after the other as records (N, 3073).

    Raises:
        DataError: a file cannot be read, or its size or MD5 is not the official one.
    """
    return np.concatenate([_read(folder / known.name, known) for known in files])


def _read(path: Path, known: Known) -> npt.NDArray[np.uint8]:
    try:
        check(path, known)
        return np.fromfile(path, np.uint8).reshape(-1, RECORD_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def images_of(records: npt.NDArray[np.uint8]) -> Images:
    """Turn records (N, 3073) into RGB images (N, 32, 32, 3) and labels (N,)."""
    pixels = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Images(np.ascontiguousarray(pixels), records[:, 0].copy())
