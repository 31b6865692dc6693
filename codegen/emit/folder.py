"""The folder of a generated project: which files in it are the generator's, and how they change.

``MANIFEST.sha256`` names the generator's files with their digests, as ``sha256sum -c`` reads them.
All others are the user's: they are kept. A project is generated again in steps that a kill may cut
short at any moment: the new tree is written whole to ``.regenerating`` inside of the folder, then
its files are moved to their places. While they are, both manifests are there, so that the next
``regenerate`` knows every file and goes on; CMakeLists.txt is away, so that a half is not built.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from codegen import durable

MANIFEST = "MANIFEST.sha256"
UPCOMING = ".regenerating"
LAST = "CMakeLists.txt"  # of the files that are moved: without it nothing is built
HEADER = """\
# What the generator wrote here; sha256sum -c MANIFEST.sha256 checks it. Generated again, these
# files are replaced, unless one was edited. All other files are yours and are kept.
"""
SHOWN = 20  # files that a message names
LINK = "a symbolic link"

Manifest = Mapping[str, str]
"""Digests by relative name, with forward slashes."""


class FolderError(ValueError):
    """A folder that must not be written to; the message says why, and what to do."""


def regenerate(
    destination: Path, write: Callable[[Path], None], *, overwrite: bool = False
) -> None:
    """Make ``destination`` the project that ``write`` writes into the empty folder that it is given.

    Files of an older project that are not in the new one are removed; files that are not the
    generator's are kept. ``overwrite`` gives up what was edited, and takes over a folder whose manifest is
    damaged or missing.

    Raises:
        FolderError: see ``check``; or a file of the user stands where one is to be written.
        OSError: naming the file, as where the disk is full; nothing was changed.
    """
    destination = destination.resolve()
    if not destination.exists():
        with durable.replacing(destination) as aside:
            _fill(aside, write)
        return
    check(destination, overwrite=overwrite)
    durable.remove_leftovers(destination)
    with _locked(destination):
        known = check(destination, overwrite=overwrite)
        upcoming = destination / UPCOMING
        if upcoming.exists():  # of a process that was killed
            _move_into_place(destination, known)
        with durable.replacing(upcoming) as aside:
            new = _fill(aside, write)
            _refuse(destination, _obstacles(destination, new, known, overwrite=overwrite))
        _move_into_place(destination, known)


def check(destination: Path, *, overwrite: bool = False) -> dict[str, set[str]]:
    """The digests that each of the folder's own files may have; cheap, to be called before any work.

    Raises:
        FolderError: ``destination`` is no folder; it holds files and is no generated project; its
            manifest is damaged; or one of its own files was edited.
    """
    if not destination.exists():
        return {}
    if not destination.is_dir():
        raise FolderError(f"{destination}: is a file; a project needs a folder")
    manifests = [destination / MANIFEST, destination / UPCOMING / MANIFEST]
    known: dict[str, set[str]] = {}
    for manifest in manifests:
        if not os.path.lexists(manifest):
            continue
        try:
            for name, digest in read_manifest(manifest).items():
                known.setdefault(name, set()).add(digest)
        except FolderError:
            if not overwrite:
                raise
    if overwrite:
        return known
    if not known and any(not _is_ours(path.name) for path in destination.iterdir()):
        raise FolderError(
            f"{destination}: holds files and no {MANIFEST}, so it is not known which of them were "
            "generated. Choose another folder; or overwrite: then the files of the project are "
            "written over those of the same names, and all others are kept"
        )
    _refuse(destination, _edited(destination, known))
    return known


def read_manifest(path: Path) -> dict[str, str]:
    """Digests by name.

    Raises:
        FolderError: the file is damaged.
    """
    try:
        return _parse(path.read_bytes().decode("ascii"))
    except (ValueError, OSError) as error:
        raise FolderError(
            f"{path}: damaged ({error}), so it is not known which files were generated. Choose "
            "another folder; or overwrite: then the files of the project are written over those "
            "of the same names, and all others are kept"
        ) from error


def _parse(text: str) -> dict[str, str]:
    listing, mark, _ = text.rpartition("# ")
    if not mark or text != listing + _seal(listing):
        raise ValueError("its last line does not match the others")
    pairs = [line.split("  ", 1) for line in listing.removeprefix(HEADER).splitlines()]
    found = {name: digest for digest, name in pairs}
    if any(PurePosixPath(name).is_absolute() or ".." in Path(name).parts for name in found):
        raise ValueError("it names files outside of the folder")
    return found


def _seal(listing: str) -> str:
    count = len(listing.splitlines()) - len(HEADER.splitlines())
    return f"# {count} files; of the lines above: {hashlib.sha256(listing.encode()).hexdigest()}\n"


def _fill(root: Path, write: Callable[[Path], None]) -> dict[str, str]:
    """Write the tree and its manifest into ``root``, and return the digests."""
    root.mkdir()
    write(root)
    files = {p.relative_to(root).as_posix(): p for p in root.rglob("*") if p.is_file()}
    digests = {name: _sha256(files[name]) for name in sorted(files.keys() - {MANIFEST})}
    listing = HEADER + "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    (root / MANIFEST).write_text(listing + _seal(listing), "ascii")
    return digests


def _edited(destination: Path, known: Mapping[str, set[str]]) -> dict[str, str]:
    """Own files that are not as they were written, and what they are; missing ones are no loss."""
    problems = {name: _blocked(destination, name) for name in known}
    for name, right in known.items():
        if not problems[name] and (destination / name).exists():
            digest = _digest(destination / name)
            problems[name] = "" if digest in right else "edited"
    return {name: why for name, why in problems.items() if why}


def _obstacles(
    destination: Path, new: Manifest, known: Mapping[str, set[str]], *, overwrite: bool
) -> dict[str, str]:
    """What stands where a file of the new project has to be, and is not known to be the old one."""
    problems: dict[str, str] = {}
    for name, digest in new.items():
        target = destination / name
        why = _blocked(destination, name)
        if why == LINK and overwrite:
            why = ""  # it is replaced, what it points to is not
        if not why and not overwrite and name not in known and target.exists():
            why = "" if _digest(target) == digest else "not generated, and in the way of a new file"
        if why:
            problems[name] = why
    return problems


def _blocked(destination: Path, name: str) -> str:
    """Why no file can be put at ``name``, or nothing."""
    target = destination / name
    for parent in reversed(target.relative_to(destination).parents[:-1]):
        folder = destination / parent
        if folder.is_symlink():
            return f"{parent} is a symbolic link"
        if folder.exists() and not folder.is_dir():
            return f"{parent} is a file, and has to be a folder"
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            return f"{parent} is read-only"
    if target.is_symlink():
        return LINK
    if target.is_dir():
        return "a folder, and has to be a file"
    return ""


def _refuse(destination: Path, problems: Mapping[str, str]) -> None:
    if not problems:
        return
    lines = [f"{name} ({why})" for name, why in sorted(problems.items())]
    more = f", and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    raise FolderError(
        f"{destination}: these files are not as they were generated: {', '.join(lines[:SHOWN])}"
        f"{more}. Nothing was changed. Move your changes to files of your own (see the project's "
        "README), choose another folder, or overwrite"
    )


def _move_into_place(destination: Path, known: Collection[str]) -> None:
    """From ``UPCOMING``, which is whole; again and again where it was cut short."""
    upcoming = destination / UPCOMING
    if not (upcoming / MANIFEST).exists():  # all but the empty folders had been moved
        shutil.rmtree(upcoming)
        return
    try:
        new = read_manifest(upcoming / MANIFEST)
    except FolderError:  # and is to be overwritten
        shutil.rmtree(upcoming)
        return
    _refuse(destination, _obstacles(destination, new, {}, overwrite=True))
    if LAST in {*new, *known}:
        (destination / LAST).unlink(missing_ok=True)
    folders = {destination}
    for name in sorted(new, key=lambda name: (name == LAST, name)):
        source, target = upcoming / name, destination / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
            folders.add(target.parent)
    _remove(destination, set(known) - new.keys())
    for folder in folders:
        durable.sync(folder, deep=False)
    (upcoming / MANIFEST).rename(destination / MANIFEST)
    durable.sync(destination, deep=False)
    shutil.rmtree(upcoming)


def _remove(destination: Path, names: Iterable[str]) -> None:
    """Remove files, and the folders that held nothing else."""
    for name in names:
        target = destination / name
        if _blocked(destination, name) not in ("", LINK):
            continue  # it is somewhere else
        if target.is_symlink() or target.is_file():
            target.unlink()
        for parent in target.relative_to(destination).parents[:-1]:
            folder = destination / parent
            if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
                folder.rmdir()


@contextmanager
def _locked(destination: Path) -> Generator[None]:
    lock = durable.try_lock(destination)
    if lock is None:
        raise FolderError(f"{destination}: another process is writing to it; wait for its end")
    try:
        yield
    finally:
        os.close(lock)


def _is_ours(name: str) -> bool:
    """What a regeneration that was killed leaves in a folder that had been empty."""
    return name.startswith((UPCOMING, f".{UPCOMING}."))


def _digest(path: Path) -> str | None:
    return _sha256(path) if path.is_file() and not path.is_symlink() else None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
