"""Files whose size and checksum their authors publish."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tinyml_nas.data.base import DataError


@dataclass(frozen=True)
class Known:
    """A published file: its name, size and MD5 (hex), as its authors give it."""

    name: str
    size_bytes: int
    md5: str


def check(path: Path, known: Known) -> None:
    """Compare a file's size and MD5 with the known ones.

    Raises:
        DataError: they differ.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as stream:
        md5 = hashlib.file_digest(stream, "md5").hexdigest()
    if (size_bytes, md5) != (known.size_bytes, known.md5):
        raise DataError(
            f"{path}: truncated or corrupt: found {size_bytes:,} bytes with MD5 {md5}, "
            f"expected {known.size_bytes:,} bytes with MD5 {known.md5}"
        )
