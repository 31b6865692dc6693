"""What a value is known by: canonical JSON, and SHA-256 of files and folders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


@runtime_checkable
class Identified(Protocol):
    """A value that stands for something elsewhere, as a path does for a file's content."""

    def content_id(self) -> Json:
        """What decides on the content, and not where it lies."""


def describe(value: object) -> Json:
    """A plug-in as canonical JSON: ``{"_target_": its class, field: value, …}``, recursively.

    An ``Identified`` value is described by its ``content_id``.

    Raises:
        TypeError: for a value that JSON cannot hold; a plug-in's fields are plain values, tuples,
            mappings with text keys, paths, and other plug-ins.
    """
    if isinstance(value, Identified) and not isinstance(value, type):
        return value.content_id()
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


def digest_of_json(value: Json) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def digest_of(path: Path, chosen: Callable[[str], bool] = lambda name: True) -> str:
    """SHA-256 of a file's bytes, or of a folder's relative file names and their digests.

    Of a folder, only the files whose relative name is ``chosen`` count.
    """
    if path.is_dir():
        files = {file.relative_to(path).as_posix(): file for file in path.rglob("*")}
        return digest_of_json(
            {
                name: digest_of(file)
                for name, file in files.items()
                if file.is_file() and chosen(name)
            }
        )
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _text_key(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"describe: keys of a mapping must be text; got {name!r}")
    return name
