"""What an earlier run of the same name delivered must not lie beside a verdict on another network."""

from __future__ import annotations

import logging
from collections.abc import Collection
from itertools import count
from pathlib import Path

DELIVERED = ("project", "network")
"""Folders that a run leaves in its own."""

_log = logging.getLogger(__name__)


def withdraw(folder: Path, delivered: Collection[str]) -> None:
    """Rename what lies in ``folder`` from an earlier run, and that this one has not ``delivered``.

    Nothing is deleted: people edit their projects.
    """
    for name in DELIVERED:
        if name in delivered or not (folder / name).exists():
            continue
        names = (f"{name}.earlier" + (f"-{n}" if n > 1 else "") for n in count(1))
        aside = next(path for path in map(folder.joinpath, names) if not path.exists())
        (folder / name).rename(aside)
        _log.warning("%s: of an earlier run, now %s", folder / name, aside.name)
