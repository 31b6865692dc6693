"""Arguments of command lines: numbers within bounds, and a parser that answers in one line."""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

INTERRUPTED = 130  # as a shell has it: 128 and SIGINT
LONGEST_SHOWN = 40


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, names the argument, and ends with status 2."""

    def error(self, message: str) -> NoReturn:
        """End the program."""
        line = " ".join(message.split())
        self.exit(2, f"error: {line} (see {self.prog} --help)\n")


def whole(least: int, most: int, why: str = "") -> Callable[[str], int]:
    """The type of an argument that is a whole number in ``least..most``."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"must be a whole number in {least}..{most}{_because(why)}; got {_shown(text)}"
            )
        return value

    return parse


def real(least: float, most: float, why: str = "") -> Callable[[str], float]:
    """The type of an argument that is a number in ``least..most``; a NaN is not."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"must be a number in {least:.3g}..{most:g}{_because(why)}; got {_shown(text)}"
            )
        return value

    return parse


def reals(most: float) -> Callable[[str], tuple[float, ...]]:
    """The type of an argument that is one number, or several with commas between, within ``most``."""

    def parse(text: str) -> tuple[float, ...]:
        return tuple(real(-most, most)(part) for part in text.split(","))

    return parse


def existing_file(text: str) -> Path:
    """The type of an argument that names a file, or a pipe, to read."""
    path = Path(text)
    mode = _mode(text)
    if mode is None:
        raise argparse.ArgumentTypeError(f"{_shown(text)}: there is no such file")
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: is no file")
    return path


def new_file(text: str) -> Path:
    """The type of an argument that names a file to write; folders on its way are made."""
    path = Path(text)
    mode = _mode(text)
    if mode is not None and not stat.S_ISREG(mode):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: is no file")
    _check_above(path)
    return path


def new_folder(text: str) -> Path:
    """The type of an argument that names a folder to fill; folders on its way are made."""
    path = Path(text)
    mode = _mode(text)
    if mode is not None and not stat.S_ISDIR(mode):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: is no folder")
    if mode is None:
        _check_above(path)
    return path


def _mode(text: str) -> int | None:
    """What kind of thing is there; None for nothing."""
    try:
        return Path(text).stat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # a name too long, links in a circle, a zero byte
        reason = getattr(error, "strerror", None) or str(error)
        raise argparse.ArgumentTypeError(f"{_shown(text)}: {reason}") from error


def _check_above(path: Path) -> None:
    """Refuse a place in which nothing can be made: the nearest folder that is there must allow it."""
    above = next(folder for folder in path.resolve().parents if folder.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise argparse.ArgumentTypeError(f"{_shown(str(path))}: {above} must not be written to")


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _shown(text: str) -> str:
    short = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
    return repr(short)
