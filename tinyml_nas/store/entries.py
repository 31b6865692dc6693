"""Content-addressed store of stage results.

A stage is a pure function of its configuration and its inputs. Its result is a folder of files and
a small JSON value, kept under the SHA-256 of everything that it depends on::

    <root>/<stage>/<digest>/entry.json     the key, the value, the digest of the files
    <root>/<stage>/<digest>/files/         what the stage wrote
    <root>/<stage>/<digest>.building/      being written, or left behind by a killed run
    <root>/<stage>/<digest>.partial/       work of a stage that goes on where it was killed
    <root>/<stage>/<digest>.lock           held while one process builds

An entry appears in one ``rename`` after its files are on disk, so a folder named ``<digest>`` is
always whole; its content is verified each time that it is used.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock, Timeout

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

Build: TypeAlias = Callable[[Path, Path], Mapping[str, Json]]
"""``build(folder, work)`` writes the stage's files into the empty ``folder`` and returns its value.

``work`` outlives a killed run: a stage that can resume keeps its checkpoints there. It is removed
when the stage is done.
"""

_LAYOUT = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Key:
    """Everything that a stage's result depends on.

    Args:
        stage: Name of the stage, also the folder under the store's root.
        version: Raised by hand when the stage's code changes what it computes.
        config: The configuration that the stage reads; see ``describe``.
        inputs: Digests of what it reads, by name.
    """

    stage: str
    version: int
    config: Json
    inputs: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Json]:
        """The key as JSON."""
        return {
            "stage": self.stage,
            "version": self.version,
            "config": self.config,
            "inputs": dict(self.inputs),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal."""
        return hashlib.sha256(canonical_json(self.document()).encode()).hexdigest()


@dataclass(frozen=True)
class Entry:
    """A stored result: the folder of its files, their digest, and the stage's value."""

    path: Path
    digest: str
    value: dict[str, Json]


class Damaged(Exception):
    """A stored entry is not what was written."""


class Store:
    """The stage store under ``root``. Safe for any number of processes on one file system."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def get(self, key: Key, build: Build) -> Entry:
        """The entry of ``key``, built first where it is missing or damaged.

        Processes that want the same key wait for the one that builds it. If ``build`` raises,
        nothing is stored and its ``work`` folder stays for the next attempt.
        """
        final = self.root / key.stage / key.digest
        work = final.with_name(final.name + ".partial")
        entry = _read_or_none(final, key)
        if entry is None:
            final.parent.mkdir(parents=True, exist_ok=True)
            with _locked(final.with_name(final.name + ".lock"), key):
                # Another process may have built it while this one waited.
                entry = _read_or_none(final, key) or self._build(key, build, final, work)
        shutil.rmtree(work, ignore_errors=True)
        return entry

    def _build(self, key: Key, build: Build, final: Path, work: Path) -> Entry:
        building = final.with_name(final.name + ".building")
        for leftover in (building, final):  # of a killed run, or damaged
            if leftover.exists():
                shutil.rmtree(leftover)
        files = building / "files"
        files.mkdir(parents=True)
        work.mkdir(exist_ok=True)

        value = json.loads(canonical_json(dict(build(files, work))))
        document = {
            "layout": _LAYOUT,
            "key": key.document(),
            "value": value,
            "files": digest_of(files),
        }
        document["checksum"] = _checksum(document)
        (building / "entry.json").write_text(json.dumps(document, indent=1) + "\n")
        _flush_to_disk(building)
        building.rename(final)
        _fsync(final.parent)
        return _read(final, key)


def describe(value: object) -> Json:
    """A plug-in as canonical JSON: ``{"_target_": its class, field: value, …}``, recursively.

    Raises:
        TypeError: for a value that JSON cannot hold; a plug-in's fields are plain values, tuples,
            mappings with text keys, paths, and other plug-ins.
    """
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        described: dict[str, Json] = {"_target_": f"{kind.__module__}.{kind.__qualname__}"}
        for item in fields(value):
            described[item.name] = describe(getattr(value, item.name))
        return described
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if isinstance(value, Mapping):
        return {_text_key(name): describe(item) for name, item in value.items()}
    raise TypeError(f"describe: cannot store a {type(value).__name__} in a key; got {value!r}")


def canonical_json(value: Json) -> str:
    """JSON with sorted keys and no white space; the same text for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(path: Path, chosen: Callable[[str], bool] = lambda name: True) -> str:
    """SHA-256 of a file's bytes, or of a folder's relative file names and their digests.

    Of a folder, only the files whose relative name is ``chosen`` count.
    """
    if path.is_dir():
        files = {file.relative_to(path).as_posix(): file for file in path.rglob("*")}
        listing = {
            name: digest_of(file) for name, file in files.items() if file.is_file() and chosen(name)
        }
        return hashlib.sha256(canonical_json(listing).encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _text_key(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"describe: keys of a mapping must be text; got {name!r}")
    return name


def _read(final: Path, key: Key) -> Entry:
    manifest = final / "entry.json"
    try:
        document = json.loads(manifest.read_text())
        checksum = document.pop("checksum")
        intact = checksum == _checksum(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"{manifest}: not readable ({error})") from error
    if not intact or document["layout"] != _LAYOUT or document["key"] != key.document():
        raise Damaged(f"{manifest}: was changed after it was written")
    files = final / "files"
    if not files.is_dir() or digest_of(files) != document["files"]:
        raise Damaged(f"{files}: its files are not the ones that were written")
    return Entry(files, document["files"], document["value"])


def _read_or_none(final: Path, key: Key) -> Entry | None:
    if not final.exists():
        return None
    try:
        return _read(final, key)
    except Damaged as damage:
        _log.warning("damaged store entry, the stage %r runs again: %s", key.stage, damage)
        return None


@contextmanager
def _locked(path: Path, key: Key) -> Generator[None, None, None]:
    """Hold the file lock at ``path``; say so when it has to wait."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _log.warning("another process is running the stage %r; waiting for its result", key.stage)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _checksum(document: Json) -> str:
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()


def _flush_to_disk(folder: Path) -> None:
    for path in folder.rglob("*"):
        _fsync(path)
    _fsync(folder)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
