"""Where option files lie: the package's own, and those of the user's ``--config-dir``."""

from __future__ import annotations

import sys
from pathlib import Path

from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from tinyml_nas.config.errors import ConfigError

_PACKAGE = Path(__file__).parents[1]

CONF = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parent / "conf"
"""Inside the package where it is installed (``setup.py`` puts it there), beside it in a checkout."""


def option_folders() -> tuple[Path, ...]:
    """``CONF``, then the folder that the command line adds, which hydra reads too."""
    arguments, _ = get_args_parser().parse_known_args(sys.argv[1:])
    return (CONF,) if arguments.config_dir is None else (CONF, Path(arguments.config_dir))


def check_own(folder: Path) -> None:
    """Refuse what hydra would stumble over or, because ``CONF`` comes first, pass over in silence.

    Raises:
        ConfigError: naming the file.
    """
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*/*.yaml")]):
        try:
            content = path.read_text(encoding="utf-8")
            values = OmegaConf.load(path)
        except (OSError, ValueError, YAMLError) as error:
            reason = " ".join(str(error).split())
            raise ConfigError(f"{path}: cannot be read as YAML: {reason}") from error
        if not isinstance(values, DictConfig):
            raise ConfigError(f"{path}: must hold keys and values, as the files of {CONF} do")
        name = path.relative_to(folder)
        ours = CONF / name
        if ours.is_file() and ours.read_text(encoding="utf-8") != content:
            raise ConfigError(
                f"{path}: the package has another {name}, which comes first; rename yours"
            )
