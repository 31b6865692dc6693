"""Whether there is something at a path that a user gave, whatever text it is."""

from __future__ import annotations

from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether there is such a file; also of what can be no file's name, as it is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; see ``is_file``."""
    try:
        return path.is_dir()
    except OSError:
        return False
