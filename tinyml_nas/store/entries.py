"""Content-addressed store of stage results.

A stage is a pure function of what it is given. Its result is a folder of files and a small JSON
value, kept under the SHA-256 of everything that it depends on, the code among it::

    <root>/<stage>/<digest>/entry.json     the key, the value, the digest of the files
    <root>/<stage>/<digest>/files/         what the stage wrote
    <root>/<stage>/.<digest>.<any>.part/   being written, or left behind by a killed run
    <root>/<stage>/<digest>.partial/       work of a stage that goes on where it was killed
    <root>/<stage>/<digest>.lock           held while one process builds

An entry appears in one ``rename`` after its files are on disk (``codegen.durable``), so a folder
named ``<digest>`` is always whole; its content is verified each time that it is used.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock, Timeout

from codegen import durable
from tinyml_nas.store.digest import Json, canonical_json, digest_of, digest_of_json

Build: TypeAlias = Callable[[Path, Path], Mapping[str, Json]]
"""``build(folder, work)`` writes the stage's files into the empty ``folder`` and returns its value.

``work`` outlives a killed run: a stage that can resume keeps its checkpoints there. It is removed
when the stage is done.
"""

_LAYOUT = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Key:
    """Everything that a stage's result depends on.

    Args:
        stage: Name of the stage, also the folder under the store's root.
        given: What the stage reads, by name; see ``digest.describe``.
        code: Digest of the code that it runs.
        versions: Versions of Python and of the libraries that the code uses, by name.
    """

    stage: str
    given: Mapping[str, Json]
    code: str
    versions: Mapping[str, str]

    def document(self) -> dict[str, Json]:
        """The key as JSON."""
        return {
            "stage": self.stage,
            "given": dict(self.given),
            "code": self.code,
            "versions": dict(self.versions),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal."""
        return digest_of_json(self.document())


@dataclass(frozen=True)
class Entry:
    """A stored result: its key, the folder of its files, their digest, and the stage's value."""

    key: Key
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
        if final.exists():
            shutil.rmtree(final)  # it is damaged
        with durable.replacing(final) as building:
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
            document["checksum"] = digest_of_json(document)
            durable.write(building / "entry.json", json.dumps(document, indent=1) + "\n")
        return read(final, key)


def read(final: Path, key: Key) -> Entry:
    """The entry of ``key`` in the folder ``final``.

    Raises:
        Damaged: it is not what was written.
    """
    manifest = final / "entry.json"
    try:
        document = json.loads(manifest.read_text(encoding="utf-8"))
        checksum = document.pop("checksum")
        intact = checksum == digest_of_json(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"{manifest}: not readable ({error})") from error
    if not intact or document["layout"] != _LAYOUT or document["key"] != key.document():
        raise Damaged(f"{manifest}: was changed after it was written")
    files = final / "files"
    if not files.is_dir() or digest_of(files) != document["files"]:
        raise Damaged(f"{files}: its files are not the ones that were written")
    return Entry(key, files, document["files"], document["value"])


def _read_or_none(final: Path, key: Key) -> Entry | None:
    if not final.exists():
        return None
    try:
        return read(final, key)
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
