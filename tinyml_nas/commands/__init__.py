"""What the command line does beside runs: each command is a function of its arguments, and is told first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def _compare(folders: Sequence[str]) -> None:
    """Print runs side by side: configuration and figures."""
    from tinyml_nas.report.compare import CompareError, print_comparison

    try:
        print_comparison([Path(folder) for folder in folders])
    except CompareError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)


def _doctor(arguments: Sequence[str]) -> None:
    """Say what is missing here, and how to get it."""
    from tinyml_nas.commands.doctor import run

    run(arguments)


def _store(arguments: Sequence[str]) -> None:
    """List, show, check and prune what stages left."""
    from tinyml_nas.commands.store import run

    run(arguments)


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "--compare": _compare,
    "doctor": _doctor,
    "store": _store,
}
"""By the first word after the program's name."""
