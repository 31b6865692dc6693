"""Progress of what takes longer than a glance: a bar on a terminal, a line now and then elsewhere.

Everything goes to stderr, so that stdout holds results only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Iterable, Sized
from contextlib import ExitStack, contextmanager
from typing import Protocol, TextIO, TypeVar

T = TypeVar("T")

PLAIN_INTERVAL_S = 10.0
"""Seconds between two lines where stderr is not a terminal."""


class Counter(Protocol):
    """What ``counter`` gives: counts finished items, and shows figures beside the bar."""

    def advance(self, count: float = 1, **figures: float | str) -> None:
        """Count ``count`` more finished items; ``figures`` replace the ones shown before."""


def track(
    iterable: Iterable[T], description: str, total: float | None = None
) -> Generator[T, None, None]:
    """Yield the items of ``iterable`` and count them; ``total`` defaults to its length, if any."""
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with counter(description, total) as progress:
        for item in iterable:
            yield item
            progress.advance()


@contextmanager
def counter(
    description: str, total: float | None = None, begun_at: float = 0
) -> Generator[Counter, None, None]:
    """Count finished items by hand; ``total`` is their number, None where nobody knows.

    ``begun_at`` items were finished before, by a run that this one continues: they took none of its time.

    Counters may be nested::

        with counter("search", 100) as done:
            done.advance(error=0.2)
    """
    if sys.stderr.isatty():
        with _bar(description, total, begun_at) as bar:
            yield bar
    else:
        yield PlainCounter(description, total, begun_at)


@contextmanager
def reported(description: str) -> Generator[Callable[[int, int], None], None, None]:
    """For work that reports by itself: gives a function of the items done and the items in all."""
    with ExitStack() as stack:
        shown: list[Counter] = []
        last = 0

        def report(done: int, total: int) -> None:
            nonlocal last
            if not shown:
                shown.append(stack.enter_context(counter(description, total, begun_at=done)))
            else:
                shown[0].advance(done - last)
            last = done

        yield report


class PlainCounter:
    """Writes a line about every ten seconds; work that ends sooner writes nothing.

    Args:
        description: What is counted.
        total: Number of items, None if unknown.
        begun_at: Of these, finished before now.
        stream: Where the lines go; the process's stderr by default.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        description: str,
        total: float | None,
        begun_at: float = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._description = description
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._started = self._written = clock()
        self._done = self._begun_at = begun_at

    def advance(self, count: float = 1, **figures: float | str) -> None:
        """Count ``count`` more finished items."""
        self._done += count
        now = self._clock()
        if now - self._written >= PLAIN_INTERVAL_S:
            self._written = now
            self._stream.write(self._line(now - self._started, figures) + "\n")
            self._stream.flush()

    def _line(self, elapsed_s: float, figures: dict[str, float | str]) -> str:
        parts = [f"{self._description}: {self._done:g}"]
        if self._total:
            share = self._done / self._total
            parts[0] += f"/{self._total:g} ({share:.0%})"
            here = self._done - self._begun_at
            if here > 0 and share < 1:
                parts.append(f"{_duration(elapsed_s * (self._total - self._done) / here)} left")
        parts.append(f"{_duration(elapsed_s)} so far")
        return ", ".join([*parts, *_texts(figures)])


@contextmanager
def _bar(description: str, total: float | None, begun_at: float) -> Generator[Counter, None, None]:
    # rich is imported here: whoever only composes a configuration need not wait for it.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total, figures="")
        progress.update(task, completed=begun_at)

        class Bar:
            def advance(self, count: float = 1, **figures: float | str) -> None:
                progress.update(task, advance=count, figures=" ".join(_texts(figures)))

        yield Bar()


def _texts(figures: dict[str, float | str]) -> list[str]:
    return [
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in figures.items()
    ]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
