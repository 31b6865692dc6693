"""What lies in a store: found, shown, checked, and removed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tinyml_nas.store.entries import Damaged, Key, read

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Found:
    """An entry as it lies there: its stage, its key's digest, its bytes, and when it was made (Unix seconds)."""

    stage: str
    digest: str
    path: Path
    size_bytes: int
    made: float


def entries(root: Path) -> list[Found]:
    """All entries under ``root``, the oldest first; what is being built is none."""
    found = []
    for path in sorted(root.glob("*/*")):
        manifest = path / "entry.json"
        if _DIGEST.fullmatch(path.name) and manifest.is_file():
            size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            made = manifest.stat().st_mtime
            found.append(Found(path.parent.name, path.name, path, size, made))
    return sorted(found, key=lambda one: one.made)


def named(root: Path, prefix: str) -> list[Found]:
    """Entries whose ``stage/digest``, or digest alone, starts with ``prefix``."""
    return [
        one
        for one in entries(root)
        if one.digest.startswith(prefix) or f"{one.stage}/{one.digest}".startswith(prefix)
    ]


def document(found: Found) -> dict[str, Any]:
    """What an entry says of itself: its key, its value, the digest of its files.

    Raises:
        Damaged: it cannot be read.
    """
    try:
        content: dict[str, Any] = json.loads((found.path / "entry.json").read_text("utf-8"))
        Key(**content["key"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{found.path / 'entry.json'}: not readable ({error})") from error
    return content


def check(found: Found) -> None:
    """Read an entry whole, as a run does that uses it.

    Raises:
        Damaged: it is not what was written, or lies under another key's name.
    """
    key = Key(**document(found)["key"])
    if key.digest != found.digest or key.stage != found.stage:
        raise Damaged(f"{found.path}: is the entry of {key.stage}/{key.digest}")
    read(found.path, key)


def remove(found: Found) -> bool:
    """Take an entry out, whole, at once; False where a process is building it."""
    try:
        with FileLock(found.path.with_name(found.digest + ".lock"), timeout=0):
            aside = found.path.with_name(f".{found.digest}.removed.part")
            shutil.rmtree(aside, ignore_errors=True)
            found.path.rename(aside)
    except (Timeout, FileNotFoundError):
        return False
    shutil.rmtree(aside, ignore_errors=True)
    return True


def leftovers(root: Path) -> Iterator[Path]:
    """What killed runs left behind: it serves nobody but a run of the same stage that goes on."""
    yield from sorted([*root.glob("*/.*.part"), *root.glob("*/*.partial")])


def keys_of_runs(folders: Collection[Path]) -> set[str]:
    """Digests of the keys that results under ``folders`` name.

    Raises:
        ValueError: naming a result that cannot be read: what it needs is not known.
    """
    used: set[str] = set()
    for path in (path for folder in folders for path in sorted(folder.rglob("result.json"))):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            used |= {stage["key"] for stage in content["provenance"].get("stages", ())}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path}: cannot be read ({error}), so that nobody knows what it needs"
            ) from error
    return used
