"""What a stage is given from outside the store, known by its content."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.network.shipped import FILES
from tinyml_nas.store.digest import digest_of
from tinyml_nas.types import Artifact


def single_file(path: Path) -> Artifact:
    """One file."""
    return Artifact(path, digest_of(path))


def network_files(folder: Path) -> Artifact:
    """A trained network by its own files: its card and record do not count."""
    return Artifact(folder, digest_of(folder, FILES.__contains__))
