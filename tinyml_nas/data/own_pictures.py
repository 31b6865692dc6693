"""What data sets of one's own share: what may be asked of them, and how many of a class are held back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from tinyml_nas.data.subset import Classes, check_classes

LEAST_SIDE, MOST_SIDE = 16, 256
LEAST_SHARE, MOST_SHARE = 0.05, 0.4
MOST_CLASSES = 255
MOST_NAMED = 100


class Own(Protocol):
    """A data set that is divided by the pixels of its pictures."""

    @property
    def side(self) -> int | None:
        """Pixels along a side; null keeps those of the images."""

    @property
    def validation_share(self) -> float:
        """Share of a class on which networks are chosen."""

    @property
    def test_share(self) -> float:
        """Share of a class on which the result is measured."""

    @property
    def only_classes(self) -> Classes | None:
        """Numbers of the classes that are kept; null keeps all."""


def check_own(asked: Own, *, side: str) -> None:
    """Refuse what no pictures could meet; ``side`` says what it must be.

    Raises:
        ValueError: naming the config key.
    """
    if asked.side is not None and not LEAST_SIDE <= asked.side <= MOST_SIDE:
        raise ValueError(f"dataset.side: must be {side}; got {asked.side}")
    for key in ("validation_share", "test_share"):
        if not LEAST_SHARE <= getattr(asked, key) <= MOST_SHARE:
            raise ValueError(
                f"dataset.{key}: must be from {LEAST_SHARE} to {MOST_SHARE}; got {getattr(asked, key)}"
            )
    if asked.only_classes is not None:
        check_classes(asked.only_classes, max(asked.only_classes, default=0) + 1)


def held_back(count: int, share: float) -> int:
    """How many of ``count`` pictures of a class a split takes: its ``share``, and at least one."""
    return max(1, round(share * count))


def listed(what: str, items: Iterable[str]) -> str:
    """How many there are of ``what``, and each in a line of its own; of very many the first."""
    lines = list(items)
    more = [f"… and {len(lines) - MOST_NAMED} more"] if len(lines) > MOST_NAMED else []
    return f"{len(lines)} {what}:\n  " + "\n  ".join([*lines[:MOST_NAMED], *more])
