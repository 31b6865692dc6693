"""Photographs as people have them: what can be read is read alike, what cannot is named before work begins."""

from __future__ import annotations

import io
import re
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from codegen.pixels import resample
from tinyml_nas.data.folder import Folder, _opened
from tinyml_nas.data.pictures import UnreadablePictureError, framed, read

SIDE = 32
CLASSES = ("ä 'quoted' \"name\"", "b c")


def scene(seed: int, height: int = 40, width: int = 56) -> Image.Image:
    """A picture of smooth colours, another one for each seed."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (1, 4, 4, 3), np.uint8)
    return Image.fromarray(resample(small, height, width)[0])


def fill(root: Path, each: int = 8, classes: tuple[str, ...] = CLASSES, first: int = 0) -> None:
    for number, name in enumerate(classes):
        (root / name).mkdir(parents=True, exist_ok=True)
        for index in range(each):
            scene(first + 100 * number + index).save(root / name / f"ü {index}'.png")


def folder(root: Path, **fields: object) -> Folder:
    """A data set that is read anew: tests change what is in it."""
    _opened.cache_clear()
    return Folder(root, side=SIDE, **fields)


def refusal(root: Path, **fields: object) -> str:
    with pytest.raises(ValueError, match=r"dataset\.root") as caught:
        folder(root, **fields).check()
    return str(caught.value)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    fill(tmp_path / "mine")
    return tmp_path / "mine"


# --- one picture -------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "options"), [("png", {}), ("webp", {"lossless": True})])
def test_a_picture_is_the_same_in_any_lossless_format(suffix, options, tmp_path):
    scene(1).save(tmp_path / f"x.{suffix}", **options)
    picture = read(tmp_path / f"x.{suffix}", SIDE, "crop", grey=False)
    middle = np.asarray(scene(1))[:, 8:48]
    np.testing.assert_array_equal(picture.pixels, resample(middle[np.newaxis], SIDE, SIDE)[0])
    scene(1).save(tmp_path / "y.png")
    assert picture.digest == read(tmp_path / "y.png", SIDE, "crop", grey=False).digest


def test_stretch_shows_all_and_crop_the_middle():
    pixels = np.asarray(scene(2, 40, 60))
    np.testing.assert_array_equal(
        framed(pixels, SIDE, "stretch"), resample(pixels[np.newaxis], SIDE, SIDE)[0]
    )
    assert (framed(pixels, SIDE, "crop") != framed(pixels, SIDE, "stretch")).any()
    square = np.asarray(scene(2, SIDE, SIDE))
    np.testing.assert_array_equal(framed(square, SIDE, "crop"), square)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_upright_as_its_exif_says(orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    scene(3).save(tmp_path / "turned.png", exif=exif)
    picture = read(tmp_path / "turned.png", SIDE, "stretch", grey=False)
    with Image.open(tmp_path / "turned.png") as opened:
        upright = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    assert upright.shape[:2] == ((56, 40) if orientation > 4 else (40, 56))
    np.testing.assert_array_equal(picture.pixels, framed(upright, SIDE, "stretch"))


def test_other_kinds_of_pixels_become_rgb(tmp_path):
    def seen(name: str, *, grey: bool = False) -> np.ndarray:
        return read(tmp_path / name, SIDE, "crop", grey=grey).pixels.astype(int)

    plain = scene(4, SIDE, SIDE)
    rgb = np.asarray(plain).astype(int)
    luma = np.asarray(plain.convert("L")).astype(int)[..., np.newaxis].repeat(3, axis=2)
    plain.save(tmp_path / "rgb.png")
    plain.convert("L").save(tmp_path / "grey.png")
    plain.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95, subsampling=0)
    plain.save(tmp_path / "ycc.jpg", quality=95, subsampling=0)
    Image.fromarray(luma[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(seen("grey.png"), luma)
    np.testing.assert_array_equal(seen("deep.png"), luma)
    np.testing.assert_array_equal(seen("rgb.png", grey=True), luma)
    for name in ("cmyk.jpg", "ycc.jpg"):
        assert abs(seen(name) - rgb).mean() < 4, name
    alpha = plain.copy()
    alpha.putalpha(
        Image.fromarray(np.tile(np.r_[0, 255].repeat(SIDE // 2), (SIDE, 1)).astype(np.uint8))
    )
    alpha.save(tmp_path / "alpha.png")
    assert (seen("alpha.png")[:, : SIDE // 2] == 255).all()
    np.testing.assert_array_equal(seen("alpha.png")[:, SIDE // 2 :], rgb[:, SIDE // 2 :])
    plain.save(
        tmp_path / "moving.webp", save_all=True, append_images=[scene(5, SIDE, SIDE)], lossless=True
    )
    np.testing.assert_array_equal(seen("moving.webp"), rgb)


def test_a_photograph_of_twenty_megapixels_is_shrunk(tmp_path):
    small = scene(6, 64, 64)
    small.resize((4480, 4480), Image.Resampling.BILINEAR).save(tmp_path / "large.jpg", quality=95)
    seen = read(tmp_path / "large.jpg", SIDE, "crop", grey=False).pixels.astype(int)
    wanted = resample(np.asarray(small)[np.newaxis], SIDE, SIDE)[0].astype(int)
    assert abs(seen - wanted).mean() < 2


def bomb(path: Path) -> None:
    """A PNG that says it has 10 thousand million pixels, in a few bytes."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunks = [b"IHDR" + header, b"IDAT" + zlib.compress(b""), b"IEND"]
    parts = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def truncated(path: Path) -> None:
    stream = io.BytesIO()
    scene(7).save(stream, "JPEG")
    path.write_bytes(stream.getvalue()[:400])


BAD = {
    "empty.jpg": (Path.touch, "is empty"),
    "text.jpg": (lambda path: path.write_text("hello"), "is no JPEG, PNG or WebP picture"),
    "dot.png": (
        lambda path: Image.new("RGB", (1, 1)).save(path),
        "is 1 x 1 pixels; the least is 8 x 8",
    ),
    "cut.jpg": (truncated, "cannot be read"),
    "bomb.png": (bomb, "the most is 100 million|cannot be read"),
    "loop.png": (lambda path: path.symlink_to(path), "cannot be read"),
    "gone.webp": (lambda path: path.symlink_to("nowhere"), "cannot be read"),
    "gif.png": (lambda path: scene(8).save(path, "GIF"), "is no JPEG, PNG or WebP picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_told_why(name, tmp_path):
    make, reason = BAD[name]
    make(tmp_path / name)
    with pytest.raises(UnreadablePictureError, match=reason):
        read(tmp_path / name, SIDE, "crop", grey=False)


# --- a folder ----------------------------------------------------------------------------------


def test_a_folder_of_classes_is_divided_by_content(photos, tmp_path):
    data = folder(photos)
    data.check()
    assert data.class_names == tuple(sorted(CLASSES))
    sizes = {name: data.count(name) for name in ("train", "validation", "test")}
    assert sizes == {"train": 8, "validation": 4, "test": 4}
    for name, size in sizes.items():
        images = data.split(name)
        assert images.pixels.shape == (size, SIDE, SIDE, 3)
        assert set(images.labels.tolist()) == {0, 1}
    for number, path in enumerate(sorted(photos.rglob("*.png"))):  # other names, another place
        target = tmp_path / "moved" / path.parent.name / f"{number:03}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    again = folder(tmp_path / "moved")
    assert again.digest() == data.digest()
    np.testing.assert_array_equal(again.split("test").pixels, data.split("test").pixels)
    assert folder(photos, grey=True).digest() != data.digest()
    assert folder(photos, framing="stretch").digest() != data.digest()


def test_more_pictures_leave_the_others_in_their_split(tmp_path):
    fill(tmp_path / "few", each=20)
    fill(tmp_path / "more", each=24)
    before, after = (
        {p.tobytes() for p in folder(tmp_path / name).split("train").pixels}
        for name in ("few", "more")
    )
    assert len(before & after) >= 0.8 * len(before)


def test_folders_say_who_belongs_where(tmp_path):
    fill(tmp_path / "train", each=6, first=0)
    fill(tmp_path / "test", each=3, first=1000)
    data = folder(tmp_path)
    data.check()
    assert {name: data.count(name) for name in ("train", "validation", "test")} == {
        "train": 10,
        "validation": 2,
        "test": 6,
    }
    fill(tmp_path / "val", each=2, first=2000)
    assert folder(tmp_path, grey=True).count("train") == 12


def test_classes_can_be_left_out(photos):
    fill(photos, classes=("a",), first=5000)
    data = folder(photos, only_classes=(0, 1))
    data.check()
    assert data.class_names == ("a", "b c")
    assert data.count("train") == len(data.split("train")) == 8
    with pytest.raises(ValueError, match="only_classes"):
        folder(photos, only_classes=(0, 3)).check()


def test_every_faulty_file_is_named_at_once_and_can_be_left_out(photos):
    for name, (make, _) in BAD.items():
        make(photos / CLASSES[1] / name)
    first = min((photos / CLASSES[1]).glob("*.png"), key=lambda path: path.name != "ü 0'.png")
    shutil.copy(first, photos / CLASSES[1] / "copy.png")
    shutil.copy(photos / CLASSES[1] / "ü 1'.png", photos / CLASSES[0] / "wrong.png")
    text = refusal(photos)
    for name in BAD:
        assert f"b c/{name}: " in text
    assert re.search(r"is the same picture as b c/copy.png|copy.png: is the same picture", text)
    assert (
        f"in another class (b c and {CLASSES[0]})" in text
        or f"in another class ({CLASSES[0]} and b c)" in text
    )
    assert "dataset.skip_faulty=true" in text
    data = folder(photos, skip_faulty=True)
    data.check()
    assert sum(data.count(name) for name in ("train", "validation", "test")) == 15


def test_a_picture_in_two_splits_is_named(tmp_path):
    fill(tmp_path / "train")
    fill(tmp_path / "test", each=2, first=50)
    shutil.copy(
        tmp_path / "train" / CLASSES[1] / "ü 0'.png", tmp_path / "test" / CLASSES[1] / "x.png"
    )
    assert "in another split" in refusal(tmp_path)


def test_what_is_not_enough_is_refused_with_what_is_needed(tmp_path):
    assert "no folder" in refusal(tmp_path / "nowhere")
    assert "found none" in refusal(tmp_path)
    fill(tmp_path, classes=("only",))
    assert "found one class, only" in refusal(tmp_path)
    for each, missing in ((1, True), (5, True), (6, False)):
        fill(tmp_path, each=each, classes=("single",), first=300)
        if missing:
            assert f"single: has {each} to divide; needs at least 6" in refusal(tmp_path)
    folder(tmp_path).check()


def test_links_and_clutter_do_no_harm(photos, caplog):
    (photos / CLASSES[1] / "round").symlink_to(photos)
    (photos / "around").symlink_to(photos / "around")
    (photos / CLASSES[1] / ".DS_Store").touch()
    (photos / "Thumbs.db").touch()
    (photos / CLASSES[1] / "notes.txt").write_text("mine")
    data = folder(photos)
    data.check()
    assert data.classes == 2
    assert "b c/notes.txt" in caplog.text
    assert "b c/round" in caplog.text
    assert "DS_Store" not in caplog.text


def test_a_name_that_no_firmware_takes_is_refused(photos):
    (photos / CLASSES[1]).rename(photos / "a\nb")
    assert "rename it" in refusal(photos)
