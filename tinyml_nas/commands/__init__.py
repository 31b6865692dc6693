"""What the command line does beside runs: each command is a function of its arguments, and is told first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def compare(folders: Sequence[str]) -> None:
    """Print runs side by side: configuration and figures."""
    from tinyml_nas.report.compare import CompareError, print_comparison

    try:
        print_comparison([Path(folder) for folder in folders])
    except CompareError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {"--compare": compare}
"""By the first word after the program's name."""
