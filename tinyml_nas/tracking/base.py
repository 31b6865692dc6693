"""What a tracker is told of a run that has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Tracked:
    """A run that has ended, well or not.

    Attributes:
        name: Of its folder; of a job of a sweep, with the sweep's before it.
        status: As in ``result.json``.
        parameters: The composed configuration, text by dotted key.
        figures: Every number of the result by dotted name.
        curves: Accuracies after each labelled sample, by dotted name.
        files: What is worth keeping: files and folders, all of which exist.
    """

    name: str
    status: str
    parameters: Mapping[str, str]
    figures: Mapping[str, float]
    curves: Mapping[str, Sequence[float]]
    files: tuple[Path, ...]


class Tracker(Protocol):
    """Records runs somewhere."""

    def check(self) -> None:
        """Refuse, before any work, to record where a library is missing.

        Raises:
            ValueError: saying how to get it.
        """

    def record(self, run: Tracked) -> None:
        """Record a run; may raise whatever a server or a disk makes of it."""


def require(module: str, extra: str) -> None:
    """Refuse a tracker whose library is not installed.

    Raises:
        ValueError: naming the extra.
    """
    if find_spec(module) is None:
        raise ValueError(
            f"tracking: {module} is not installed; pip install --editable '.[{extra}]', or tracking=none"
        )
