"""Imagenette from a folder: its splits, its digest, and what is wrong with a folder that is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from codegen.pixels import resample
from tinyml_nas.data import imagenette
from tinyml_nas.data.base import DataError
from tinyml_nas.data.imagenette import CLASS_NAMES, Imagenette

FILES = {"train": 3, "val": 2}  # of each class


@pytest.fixture
def small(tmp_path, monkeypatch) -> Imagenette:
    """Five images of each class, each of one colour that says its class, part and number."""
    for number, synset in enumerate(CLASS_NAMES):
        for part, count in FILES.items():
            folder = tmp_path / "imagenette2-96" / part / synset
            folder.mkdir(parents=True)
            for index in range(count):
                shape = (20, 20, 3) if index else (20, 26, 3)
                colour = (20 * number, 100 if part == "train" else 200, 40 * index)
                picture = Image.fromarray(np.full(shape, colour, np.uint8))
                picture.save(folder / f"{part}_{synset}_{index}.JPEG", quality=95)
    monkeypatch.setattr(imagenette, "COUNTS", {part: 10 * n for part, n in FILES.items()})
    monkeypatch.setattr(imagenette, "OF_CLASSES", {part: (n,) * 10 for part, n in FILES.items()})
    monkeypatch.setattr(imagenette, "VALIDATION_PER_CLASS", 1)
    imagenette._content.cache_clear()
    return Imagenette(tmp_path, side=16)


def test_every_image_is_in_one_split_with_its_class(small) -> None:
    seen = []
    for name, per_class, green in (("train", 2, 100), ("validation", 1, 100), ("test", 2, 200)):
        images = small.split(name)
        assert images.pixels.shape == (10 * per_class, 16, 16, 3)
        assert len(images) == small.count(name)
        assert per_class == small.count(name, 3)
        assert np.bincount(images.labels).tolist() == [per_class] * 10
        colours = images.pixels.reshape(len(images), -1, 3).mean(axis=1)
        assert np.abs(colours[:, 0] - 20.0 * images.labels).max() < 6
        assert np.abs(colours[:, 1] - green).max() < 6
        seen += [
            (label, name != "test", round(c[2] / 40))
            for label, c in zip(images.labels.tolist(), colours, strict=True)
        ]
        assert (np.diff(images.labels.astype(int)) != 0).sum() > 4  # classes are mixed
    assert len(set(seen)) == 50


def test_other_sizes_are_cut_to_their_middle_and_shrunk_as_the_device_does(tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    path = tmp_path / "x.JPEG"
    Image.fromarray(pixels).save(path, quality=100, subsampling=0)
    stored = np.asarray(Image.open(path))
    expected = resample(stored[np.newaxis, :, 8:32], 16, 16)[0]
    assert (imagenette._read(path, 16) == expected).all()
    assert (imagenette._read(path, 24) == stored[:, 8:32]).all()


def test_the_digest_is_of_bytes_names_and_side(small, tmp_path) -> None:
    first = small.digest()
    assert Imagenette(tmp_path, side=17).digest() != first
    path = next((tmp_path / "imagenette2-96").rglob("*.JPEG"))
    content = path.read_bytes()
    path.write_bytes(content + b"\0")
    imagenette._content.cache_clear()
    assert small.digest() != first
    path.write_bytes(content)
    imagenette._content.cache_clear()
    assert small.digest() == first


def test_a_folder_that_is_none_or_not_whole_is_named(small, tmp_path) -> None:
    small.check()
    with pytest.raises(ValueError, match=r"dataset\.root: no folder /nowhere/imagenette2-96/train"):
        Imagenette(Path("/nowhere")).check()
    path = next((tmp_path / "imagenette2-96" / "val").rglob("*.JPEG"))
    path.write_bytes(b"no picture")
    with pytest.raises(DataError, match=rf"{path.name}: cannot be read as a picture"):
        small.split("test")
    path.unlink()
    with pytest.raises(DataError, match=r"val: must hold 20 images .* found 19"):
        small.split("test")


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"folder": ""}, "folder"), ({"folder": "a/b"}, "folder"), ({"side": 15}, "side")],
)
def test_settings_out_of_range_are_refused_by_name(settings, key) -> None:
    with pytest.raises(ValueError, match=rf"dataset\.{key}: must be"):
        Imagenette(Path(), **settings)
