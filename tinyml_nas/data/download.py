"""Fetching a published archive: checked before it is believed, put in place by renaming."""

from __future__ import annotations

import shutil
import tarfile
import urllib.request
import zlib
from collections.abc import Mapping
from http.client import HTTPException
from math import ceil
from pathlib import Path

from codegen import durable
from tinyml_nas.data.base import DataError
from tinyml_nas.data.known import Known, check
from tinyml_nas.progress import counter

_CHUNK_BYTES = 1 << 20
_TIMEOUT_S = 30


def fetch(url: str, target: Path, known: Known) -> None:
    """Download ``url`` to ``target``, which is put there once size and MD5 are right.

    Raises:
        OSError: the network or the disk failed.
        DataError: what came is not the known file.
    """
    with durable.replacing(target) as aside:
        _download(url, aside, known)
        try:
            check(aside, known)
        except DataError as error:
            raise DataError(
                f"{error}. It came from {url}: run again to download it anew"
            ) from error


def _download(url: str, aside: Path, known: Known) -> None:
    try:
        with (
            # S310: the URL is a constant of this package, not a user's text.
            urllib.request.urlopen(url, timeout=_TIMEOUT_S) as source,  # noqa: S310
            aside.open("wb") as sink,
            counter(f"download {known.name} [MiB]", ceil(known.size_bytes / _CHUNK_BYTES)) as done,
        ):
            while chunk := source.read(_CHUNK_BYTES):
                sink.write(chunk)
                done.advance()
    except HTTPException as error:
        raise OSError(f"the server broke off: {error!r}") from error


def unpack(archive: Path, members: Mapping[str, Known], folder: Path) -> None:
    """Take the named members out of a .tar.gz into ``folder``; nothing else is ever written.

    Each is checked before it is put in its place. Links and devices are refused.

    Raises:
        DataError: the archive is damaged or lacks a member, or a member is not the known file.
    """
    missing = dict(members)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for entry in tar:
                known = missing.get(entry.name)
                stream = tar.extractfile(entry) if known and entry.isreg() else None
                if known is None or stream is None:
                    continue
                with durable.replacing(folder / known.name) as aside:
                    with aside.open("wb") as sink:
                        shutil.copyfileobj(stream, sink, _CHUNK_BYTES)
                    check(aside, known)
                del missing[entry.name]
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{archive}: cannot be unpacked: {error}") from error
    if missing:
        raise DataError(f"{archive}: lacks {', '.join(missing)}")
