"""The folder of photographs that the figures of own pictures are of."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tinyml_nas.data.imagenette import CLASS_NAMES
from tools.make_photos import write


def source(root: Path, each: int = 6) -> Path:
    for part, count in (("train", each), ("val", 2)):
        for number, synset in enumerate(CLASS_NAMES):
            folder = root / part / synset
            folder.mkdir(parents=True)
            for index in range(count):
                Image.new("RGB", (8, 8), (number, index, 0)).save(folder / f"{part}{index}.JPEG")
    return root


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*.jpg")}


def test_a_seed_draws_classes_and_photographs(tmp_path):
    root = source(tmp_path / "imagenette")
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        write(root, tmp_path / name, classes=3, each=4, seed=seed)
    assert files(tmp_path / "first") == files(tmp_path / "again") != files(tmp_path / "other")
    folders = sorted(path.name for path in (tmp_path / "first" / "train").iterdir())
    assert len(folders) == 3
    assert set(folders) <= set(CLASS_NAMES.values())
    for name in folders:
        assert len(list((tmp_path / "first" / "train" / name).iterdir())) == 4
        assert len(list((tmp_path / "first" / "test" / name).iterdir())) == 2


@pytest.mark.parametrize(("classes", "each"), [(1, 4), (11, 4), (3, 7), (3, 0)])
def test_more_than_there_is_is_refused(classes, each, tmp_path):
    root = source(tmp_path / "imagenette")
    with pytest.raises(ValueError, match="must be from"):
        write(root, tmp_path / "photos", classes, each, 0)
