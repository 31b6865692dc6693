"""The full data set: read from the official files, fetched where they are missing."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tinyml_nas.data import cifar10
from tinyml_nas.data.base import DataError
from tinyml_nas.data.cifar10 import Cifar10
from tinyml_nas.data.cifar10_files import FOLDER
from tinyml_nas.data.known import Known


@pytest.fixture
def linked(cifar10_root: Path, tmp_path: Path) -> Path:
    """A root of its own whose files are links to the real ones."""
    folder = tmp_path / "root" / FOLDER
    folder.mkdir(parents=True)
    for path in (cifar10_root / FOLDER).glob("*.bin"):
        (folder / path.name).symlink_to(path)
    return folder.parent


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "URL", "http://127.0.0.1:9/cifar-10-binary.tar.gz")


def test_splits(cifar10_root: Path) -> None:
    dataset = Cifar10(cifar10_root)
    assert dataset.classes == len(dataset.class_names) == 10
    for name, count in (("train", 45_000), ("validation", 5_000), ("test", 10_000)):
        images = dataset.split(name)
        assert images.pixels.shape == (count, 32, 32, 3)
        assert dataset.count(name) == count
        assert np.bincount(images.labels).tolist() == [count // 10] * 10


def test_channels_are_rgb(cifar10_root: Path) -> None:
    """A record is red, then green, then blue, row by row."""
    with (cifar10_root / FOLDER / "test_batch.bin").open("rb") as stream:
        record = stream.read(3_073)
    images = Cifar10(cifar10_root).split("test")
    assert images.labels[0] == record[0]
    row, column = 3, 5
    planes = [record[1 + plane * 1_024 + row * 32 + column] for plane in range(3)]
    assert images.pixels[0, row, column].tolist() == planes


@pytest.mark.parametrize("damage", ["truncate", "flip"])
@pytest.mark.usefixtures("offline")
def test_damage_is_named(linked: Path, damage: str) -> None:
    path = linked / FOLDER / "test_batch.bin"
    content = bytearray(path.read_bytes())
    path.unlink()
    content[1_000_000] ^= 1
    path.write_bytes(content[:20_000_000] if damage == "truncate" else content)
    with pytest.raises(DataError) as caught:
        Cifar10(linked).split("test")
    message = str(caught.value)
    assert str(path) in message
    assert "expected 30,730,000 bytes with MD5 803d5f7f4d78ea53de84dbe85f74fb6d" in message


@pytest.mark.usefixtures("offline")
def test_without_a_network_the_error_says_what_to_put_where(linked: Path) -> None:
    missing = linked / FOLDER / "data_batch_3.bin"
    missing.unlink()
    with pytest.raises(DataError) as caught:
        Cifar10(linked).split("test")
    message = str(caught.value)
    expected = f"{missing}  (30,730,000 bytes, MD5 942cd6a4bcdd0dd3c604fbe906cb4421; missing)"
    assert expected in message
    assert message.count("; missing)") == 1
    archive = linked / "cifar-10-binary.tar.gz"
    assert f"{archive}  (170,052,171 bytes, MD5 c32a1d4ab5d03f1284b67883e8d13530)" in message


def test_missing_files_are_fetched(
    linked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file is missing: the archive is downloaded, the file taken out, the archive removed."""
    wanted = linked / FOLDER / "test_batch.bin"
    published = tmp_path / "published.tar.gz"
    with tarfile.open(published, "w:gz", compresslevel=1) as tar:
        tar.add(wanted.resolve(), f"{FOLDER}/test_batch.bin")
    wanted.unlink()
    content = published.read_bytes()
    known = Known("cifar-10-binary.tar.gz", len(content), hashlib.md5(content).hexdigest())
    monkeypatch.setattr(cifar10, "ARCHIVE", known)
    monkeypatch.setattr(cifar10, "URL", published.as_uri())
    assert len(Cifar10(linked).split("test")) == 10_000
    assert not wanted.is_symlink()
    assert not (linked / "cifar-10-binary.tar.gz").exists()


@pytest.mark.usefixtures("offline")
def test_an_archive_put_there_by_hand_is_checked(linked: Path) -> None:
    (linked / FOLDER / "test_batch.bin").unlink()
    archive = linked / "cifar-10-binary.tar.gz"
    archive.write_bytes(b"half")
    with pytest.raises(DataError, match=r"cifar-10-binary\.tar\.gz: truncated or corrupt"):
        Cifar10(linked).split("test")
    assert archive.exists()
