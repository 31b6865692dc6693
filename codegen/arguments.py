"""Arguments of command lines: numbers within bounds, and a parser that answers in one line."""

from __future__ import annotations

import argparse
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


def existing_file(text: str) -> Path:
    """The type of an argument that names a file to read."""
    path = Path(text)
    try:
        if path.is_file():
            return path
        what = "is no file" if path.exists() else "there is no such file"
    except (OSError, ValueError) as error:  # a name too long, a zero byte
        what = getattr(error, "strerror", None) or str(error)
    raise argparse.ArgumentTypeError(f"{_shown(text)}: {what}")


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _shown(text: str) -> str:
    short = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
    return repr(short)
