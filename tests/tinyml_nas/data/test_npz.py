"""Arrays of images as a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.pixels import resample
from tinyml_nas.data.npz import Npz, _read

RNG = np.random.default_rng(0)


def write(folder: Path, count: int = 60, shape: tuple[int, ...] = (20, 20, 3), **more) -> Npz:
    images = RNG.integers(0, 256, (count, *shape), np.uint8)
    arrays = {"images": images, "labels": np.arange(count) % 3} | more
    np.savez(folder / "data.npz", **{k: v for k, v in arrays.items() if v is not None})
    _read.cache_clear()
    return Npz(folder)


def pictures(data: Npz, name: str) -> set[bytes]:
    return {picture.tobytes() for picture in data.split(name).pixels}


def test_arrays_are_divided_by_their_pixels(tmp_path):
    data = write(tmp_path, class_names=np.array(["ä", "b c", "'d'"]))
    data.check()
    assert data.class_names == ("ä", "b c", "'d'")
    assert [data.count(name) for name in ("train", "validation", "test")] == [42, 6, 12]
    parts = [pictures(data, name) for name in ("train", "validation", "test")]
    assert len(set.union(*parts)) == 60
    with np.load(tmp_path / "data.npz") as file:
        known = {
            p.tobytes(): label for p, label in zip(file["images"], file["labels"], strict=True)
        }
        order = RNG.permutation(60)
        shuffled = {"images": file["images"][order], "labels": file["labels"][order]}
    images = data.split("train")
    assert all(known[p.tobytes()] == n for p, n in zip(images.pixels, images.labels, strict=True))
    (tmp_path / "other").mkdir()
    other = write(tmp_path / "other", **shuffled, class_names=np.array(["ä", "b c", "'d'"]))
    assert other.digest() == data.digest()


def test_grey_images_have_three_channels_and_copies_are_taken_once(tmp_path):
    images = RNG.integers(0, 256, (40, 20, 30), np.uint8)
    images[20:] = images[:20]
    labels = np.tile(np.arange(20) % 2, 2)
    data = Npz(write(tmp_path, images=images, labels=labels).root, side=16, framing="stretch")
    assert sum(data.count(name) for name in ("train", "validation", "test")) == 20
    seen = data.split("train").pixels
    wanted = resample(images[:20, :, :, np.newaxis], 16, 16)
    assert {p.tobytes() for p in seen} <= {w.repeat(3, axis=2).tobytes() for w in wanted}


@pytest.mark.parametrize("is_test", [False, True])
def test_a_picture_under_two_labels_is_named_and_refused_or_left_out(is_test, tmp_path):
    images = RNG.integers(0, 256, (40, 20, 20, 3), np.uint8)
    labels = np.arange(40) % 2
    images[7], images[9] = images[2], images[3]  # labels 1 and 0, 1 and 1
    own = {"test_images": images[12:17], "test_labels": np.array([0, 1, 0, 1, 1])}
    arrays = {"images": images, "labels": labels, **(own if is_test else {})}
    data = write(tmp_path, **arrays, class_names=np.array(["cat", "dog"]))
    told = ["  images[7]: is the same picture as images[2], but of another class (dog and cat)"]
    if is_test:
        same = "is the same picture as images[16], but of another class (dog and cat)"
        told.append(f"  test_images[4]: {same}")
    with pytest.raises(
        ValueError, match=r"(?s)dataset\.file: .*\nMend their labels, or give "
    ) as caught:
        data.check()
    first, *named, _ = str(caught.value).splitlines()
    assert first.endswith(f": {len(told)} pictures that cannot be used:")
    assert named == told
    kept = Npz(tmp_path, skip_faulty=True)
    kept.check()
    seen = set.union(*(pictures(kept, name) for name in ("train", "validation", "test")))
    wrong = (2, 16) if is_test else (2,)
    assert len(seen) == 40 - 2 - len(wrong)  # of images[9] the other one
    assert not seen & {images[index].tobytes() for index in wrong}
    labelled = kept.split("train")
    assert [kept.count("train", n) for n in (0, 1)] == np.bincount(labelled.labels).tolist()
    assert kept.count("test", 1) == (kept.split("test").labels == 1).sum()


def test_test_images_of_their_own_stay_apart(tmp_path):
    images = RNG.integers(0, 256, (30, 20, 20, 3), np.uint8)
    own = {"test_images": images[:6], "test_labels": np.arange(6) % 3}
    data = write(tmp_path, images=images, labels=np.arange(30) % 3, **own)
    assert data.count("test") == 6
    assert not pictures(data, "train") & pictures(data, "test")
    few = Npz(tmp_path, most_images=12)
    assert few.count("train") + few.count("validation") == 12
    assert few.count("test") == 6
    assert Npz(tmp_path, only_classes=(0, 2)).count("test") == 4


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": None}, "lacks labels; it has images"),
        ({"labels": np.zeros(59, int)}, "must be uint8"),
        ({"labels": np.zeros(60)}, "whole numbers"),
        ({"labels": np.full(60, 255)}, "labels must be from 0 to 254"),
        ({"labels": np.full(60, -1)}, "labels must be from 0 to 254"),
        ({"images": np.zeros((60, 20, 20, 3))}, "must be uint8 .*; got float64"),
        ({"images": np.zeros((60, 20, 20, 4), np.uint8)}, "must be uint8"),
        ({"labels": np.zeros(60, int)}, "at least two classes"),
        ({"labels": np.arange(60) % 2 * 2}, "class '1' has no image for"),
        ({"class_names": np.array(["a", "b"])}, "class_names must be 3 different"),
        ({"images": np.zeros((60, 20, 24, 3), np.uint8)}, "must be given for images of 20 x 24"),
    ],
)
def test_what_is_no_data_set_is_refused(arrays, message, tmp_path):
    data = write(tmp_path, **arrays)
    with pytest.raises(ValueError, match=rf"(?s)dataset\..*{message}"):
        data.check()


def test_a_file_that_is_not_there_or_damaged_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"dataset\.file: .*cannot be read"):
        Npz(tmp_path).check()
    write(tmp_path)
    content = (tmp_path / "data.npz").read_bytes()
    (tmp_path / "data.npz").write_bytes(content[: len(content) // 2])
    _read.cache_clear()
    with pytest.raises(ValueError, match=r"dataset\.file: .*cannot be read"):
        Npz(tmp_path).check()
