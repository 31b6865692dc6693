"""Where option files lie: the package's own, and those of the user's ``--config-dir``."""

from __future__ import annotations

import sys
from pathlib import Path

from hydra._internal.utils import get_args_parser

_PACKAGE = Path(__file__).parents[1]

CONF = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parent / "conf"
"""Inside the package where it is installed (``setup.py`` puts it there), beside it in a checkout."""


def option_folders() -> tuple[Path, ...]:
    """``CONF``, then the folder that the command line adds, which hydra reads too.

    Where both hold an option of one name, hydra takes the package's.
    """
    arguments, _ = get_args_parser().parse_known_args(sys.argv[1:])
    return (CONF,) if arguments.config_dir is None else (CONF, Path(arguments.config_dir))
