"""A folder of photographs: which files there are, what is wrong with them, and who belongs in which split."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyml_nas.data.own_pictures import MOST_CLASSES, held_back, listed
from tinyml_nas.data.pictures import SUFFIXES, Framing, Picture, UnreadablePictureError, read
from tinyml_nas.progress import track
from tinyml_nas.types import SplitName

PARTS: Mapping[str, SplitName] = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
HIDDEN = (".", "Thumbs.db", "desktop.ini", "__MACOSX")
LEAST_TRAINED_ON = 4
_log = logging.getLogger(__name__)


class AlbumError(ValueError):
    """The folder cannot be used; the message says what to change."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture, its class, the file that it came from, and the split that the folders put it in."""

    path: Path
    class_name: str
    part: SplitName | None
    picture: Picture


@dataclass(frozen=True, eq=False)
class Album:
    """Photographs by split, each in the order of their digests, and the names of all classes in order."""

    class_names: tuple[str, ...]
    splits: Mapping[SplitName, tuple[Photo, ...]]


@dataclass(frozen=True)
class Wanted:
    """How an album is read.

    Args:
        side: Pixels along a side of what comes out.
        framing: ``crop`` or ``stretch``, see ``pictures.framed``.
        grey: Luma in all three channels.
        validation_share: Of a class, where no folder says which pictures these are.
        test_share: The same.
        skip_faulty: Leave faulty files out, where they are else refused.
    """

    side: int
    framing: Framing
    grey: bool
    validation_share: float
    test_share: float
    skip_faulty: bool


def open_album(root: Path, wanted: Wanted) -> Album:
    """Read every picture under ``root``.

    Raises:
        AlbumError: there is no such folder, fewer than two classes, a class with too few pictures, or files
            that cannot be used, all of them named.
    """
    files, ignored = _files(root)
    if ignored:
        _log.warning("%s: %s", root, listed("files that are not taken for pictures", ignored))
    names = sorted({class_name for _, class_name, _ in files})
    if len(names) < 2:
        raise AlbumError(
            f"dataset.root: {root} must hold a folder of pictures ({', '.join(SUFFIXES)}) for each of at least two "
            f"classes, or train/ and maybe val/ and test/ with such folders; found "
            f"{'one class, ' + names[0] if names else 'none'}; data.root=FOLDER names another"
        )
    if len(names) > MOST_CLASSES:
        raise AlbumError(f"dataset.root: at most {MOST_CLASSES} classes; {root} has {len(names)}")
    photos, faults = [], []
    for path, class_name, part in track(files, "photographs"):
        try:
            picture = read(path, wanted.side, wanted.framing, grey=wanted.grey)
        except UnreadablePictureError as error:
            faults.append(f"{path.relative_to(root)}: {error}")
            continue
        photos.append(Photo(path, class_name, part, picture))
    photos, twice = _without_copies(photos, root)
    faults += twice
    if faults and not wanted.skip_faulty:
        raise AlbumError(
            f"dataset.root: {root}: {listed('files that cannot be used', faults)}\nTake them out, or give "
            "dataset.skip_faulty=true: then they are left out (of a picture that is there twice in a class the "
            "first stays; of one in two classes or two splits none)"
        )
    if faults:
        _log.warning("%s: %s", root, listed("files that are left out", faults))
    return _divided(photos, names, root, wanted)


def _files(root: Path) -> tuple[list[tuple[Path, str, SplitName | None]], list[str]]:
    """Pictures by their names, each with class and part, in order; and the names of other files."""
    if not _is_folder(root):
        raise AlbumError(
            f"dataset.root: no folder {root}; give data.root=FOLDER, the folder of your pictures"
        )
    parts = [item for item in _folders(root) if item.name in PARTS]
    if not any(PARTS[item.name] == "train" for item in parts):
        tops: list[tuple[Path, SplitName | None]] = [(root, None)]
    else:
        tops = [(item, PARTS[item.name]) for item in parts]
    found, ignored = [], []
    for top, part in tops:
        for folder in _folders(top):
            for path in _below(folder):
                if path.suffix.lower() in SUFFIXES:
                    found.append((path, folder.name, part))
                else:
                    ignored.append(str(path.relative_to(root)))
    return found, ignored


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError, RuntimeError):  # no name of a file, or a link that loops
        return False


def _folders(path: Path) -> list[Path]:
    items = sorted(path.iterdir())
    return [item for item in items if not item.name.startswith(HIDDEN) and _is_folder(item)]


def _below(folder: Path) -> list[Path]:
    """All files of a class, in folders of its own too; links to folders are not followed, so that none loops."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(HIDDEN))
        found += [Path(place) / name for name in sorted(names) if not name.startswith(HIDDEN)]
        found += [Path(place) / name for name in folders if (Path(place) / name).is_symlink()]
    return found


def _without_copies(photos: list[Photo], root: Path) -> tuple[list[Photo], list[str]]:
    """Each photograph once; none of those that stand in two classes or two splits. And what was found."""
    places: dict[str, list[Photo]] = {}
    for photo in photos:
        places.setdefault(photo.picture.digest, []).append(photo)
    kept, faults = [], []
    for same in places.values():
        first = same[0]
        names, parts = {item.class_name for item in same}, {item.part for item in same}
        where = first.path.relative_to(root)
        for item in same[1:]:
            own = f"{item.path.relative_to(root)}: is the same picture as {where}"
            if item.class_name != first.class_name:
                own += f", but in another class ({item.class_name} and {first.class_name})"
            elif item.part != first.part:
                own += ", but in another split"
            faults.append(own)
        if len(names) == len(parts) == 1:
            kept.append(first)
    return kept, faults


def _divided(photos: list[Photo], names: list[str], root: Path, wanted: Wanted) -> Album:
    """Put photographs that no folder put in a split into one, class by class, by the ranks of their digests."""
    given = {photo.part for photo in photos}
    shares: dict[SplitName, float] = {}
    if "test" not in given:
        shares["test"] = wanted.test_share
    if "validation" not in given:
        shares["validation"] = wanted.validation_share
    splits: dict[SplitName, list[Photo]] = {"train": [], "validation": [], "test": []}
    few = []
    for name in names:
        own = [photo for photo in photos if photo.class_name == name]
        left = sorted(
            (photo for photo in own if photo.part in (None, "train")),
            key=lambda photo: photo.picture.digest,
        )
        there = len(left)
        for split, share in shares.items():
            count = held_back(there, share)
            splits[split] += left[:count]
            left = left[count:]
        splits["train"] += left
        for photo in own:
            if photo.part in ("validation", "test"):
                splits[photo.part] += [photo]
        few += _too_few(name, there, len(left), shares, splits)
    if few:
        raise AlbumError(f"dataset.root: {root}: too few pictures:\n  " + "\n  ".join(few))
    return Album(
        tuple(names),
        {
            split: tuple(sorted(members, key=lambda photo: photo.picture.digest))
            for split, members in splits.items()
        },
    )


def _too_few(
    name: str,
    there: int,
    trained_on: int,
    shares: Mapping[SplitName, float],
    splits: Mapping[SplitName, list[Photo]],
) -> list[str]:
    """What a class lacks, in a line or none."""
    if trained_on < LEAST_TRAINED_ON:
        most = there
        while most - sum(held_back(most, share) for share in shares.values()) < LEAST_TRAINED_ON:
            most += 1
        left = f"so that {LEAST_TRAINED_ON} are left to train on"
        return [f"{name}: has {there} to divide; needs at least {most}, {left}"]
    return [
        f"{name}: has none for {split}; needs at least 1 there"
        for split, members in splits.items()
        if not any(photo.class_name == name for photo in members)
    ]


def stacked(
    photos: tuple[Photo, ...], side: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Pixels (N, side, side, 3) of photographs, in order."""
    empty = np.empty((0, side, side, 3), np.uint8)
    return np.stack([photo.picture.pixels for photo in photos]) if photos else empty
