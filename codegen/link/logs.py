"""Logs of a stream: where they shall be is checked before it starts, and what was learned is kept.

A log is written beside its place, under a name that ends with ``.part``, and takes it when the
stream ends, however it ends. A process that is killed leaves the part.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from codegen.link.client import Board
from codegen.link.stream import Step


class LogError(OSError):
    """A log cannot be written; the message names the option and the file."""


class LogFile:
    """A text file that takes its place when it is closed, if anything was written to it."""

    def __init__(self, option: str, path: Path) -> None:
        """Check the place, and open the part beside it.

        Raises:
            LogError: nothing can be written there.
        """
        self._option = option
        with self._failing(path):
            self._path = path.resolve()  # of a link, what it leads to
            if self._path.exists() and not self._path.is_file():
                raise LogError(f"{option}: {path}: is no file")
            if self._path.exists() and not os.access(self._path, os.W_OK):
                raise LogError(f"{option}: {path}: must not be written")
            self._part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
            self._file: TextIO = self._part.open("w", newline="", encoding="utf-8")
        self._written = False

    def write(self, text: str) -> None:
        """Append ``text``."""
        with self._failing(self._path):
            self._file.write(text)
            self._file.flush()
        self._written = True

    def close(self) -> None:
        """Put the file in its place; without a word written, what was there stays."""
        if self._file.closed:
            return
        with self._failing(self._path):
            try:
                if self._written:
                    os.fsync(self._file.fileno())
            finally:
                self._file.close()
            if self._written:
                self._part.replace(self._path)
            else:
                self._part.unlink()

    @contextmanager
    def _failing(self, path: Path) -> Generator[None]:
        try:
            yield
        except LogError:
            raise
        except (OSError, ValueError, RuntimeError) as error:  # a zero byte, links in a circle
            reason = getattr(error, "strerror", None) or str(error)
            raise LogError(f"{self._option}: {path}: {reason}") from error


class CsvLog:
    """Writes each step when it is made."""

    def __init__(self, path: Path) -> None:
        self._log = LogFile("--csv", path)
        self._writer = csv.writer(self._log)
        self._empty = True

    def close(self) -> None:
        """Put the file in its place."""
        self._log.close()

    def __call__(self, step: Step) -> None:
        """Append a step."""
        if self._empty:
            self._writer.writerow([field.name for field in fields(Step)])
            self._empty = False
        self._writer.writerow(
            int(value) if isinstance(value, bool) else value for value in asdict(step).values()
        )


class JsonLog:
    """Everything about a run: the board's answers and every step. ``ended`` says how it did."""

    def __init__(self, path: Path, board: Board) -> None:
        self._log, self._board = LogFile("--json", path), board
        self._answers: dict[str, Any] = dict.fromkeys(("stats", "memory", "timing"))

    def ask(self) -> None:
        """Get what the board has to say at the end; a board that is gone is not asked."""
        for name in self._answers:
            self._answers[name] = asdict(getattr(self._board, name)())

    def write(self, steps: Sequence[Step], ended: str) -> None:
        """Write all of it, also of a run that broke."""
        board = self._board
        content: dict[str, Any] = {
            "ended": ended,
            "hello": {key: _plain(value) for key, value in asdict(board.hello).items()},
            **self._answers,
            "link": {"repeats": board.repeats, "damaged_replies": board.damaged_replies},
            "steps": [asdict(step) for step in steps],
        }
        self._log.write(json.dumps(content, indent=1) + "\n")

    def close(self) -> None:
        """Put the file in its place."""
        self._log.close()


def _plain(value: Any) -> Any:
    return value.name if isinstance(value, np.dtype) else value
