"""The embedded sample holds the very pixels of the official files, and notices damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tinyml_nas.data import sample as sample_module
from tinyml_nas.data.base import DataError
from tinyml_nas.data.cifar10 import Cifar10
from tinyml_nas.data.cifar10_files import (
    FOLDER,
    TEST_FILES,
    TRAINING_FILES,
    images_of,
    read_records,
)
from tinyml_nas.data.sample import FILE_SHA256, Cifar10Sample


def test_sizes_and_types(sample: Cifar10Sample) -> None:
    for name, count in (("train", 4_000), ("validation", 1_000), ("test", 1_000)):
        images = sample.split(name)
        assert images.pixels.shape == (count, 32, 32, 3)
        assert sample.count(name) == count
        assert images.labels.shape == (count,)
        assert images.pixels.dtype == images.labels.dtype == np.uint8


def test_pixels_and_labels_are_the_official_ones(sample: Cifar10Sample, cifar10_root: Path) -> None:
    training = images_of(read_records(cifar10_root / FOLDER, TRAINING_FILES))
    test = images_of(read_records(cifar10_root / FOLDER, TEST_FILES))
    for name, source in (("train", training), ("validation", training), ("test", test)):
        expected = source[sample.indices(name)]
        found = sample.split(name)
        assert np.array_equal(found.pixels, expected.pixels)
        assert np.array_equal(found.labels, expected.labels)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sample's files that the data set reads instead."""
    folder = tmp_path / "cifar10_sample"
    shutil.copytree(sample_module.FOLDER, folder)
    monkeypatch.setattr(sample_module, "FOLDER", folder)
    return folder


@pytest.mark.parametrize("name", ["test.webp", "index.json"])
def test_damage_is_named(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}: corrupt.*expected {FILE_SHA256[name]}"):
        Cifar10Sample().split("test")


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "train.webp").unlink()
    with pytest.raises(DataError, match=r"train\.webp: cannot be read"):
        Cifar10Sample().split("train")


def test_digests_tell_data_sets_apart(sample: Cifar10Sample) -> None:
    assert sample.digest() == Cifar10Sample().digest()
    assert sample.digest() != Cifar10(Path("anywhere")).digest()
