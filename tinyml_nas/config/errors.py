"""A refused configuration in one line: the key, what was given, what is allowed."""

from __future__ import annotations

import dataclasses
import re
import sys
import traceback
from pathlib import PurePosixPath
from typing import NoReturn

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException


class ConfigError(Exception):
    """The configuration is refused. The message is one line that names the key."""


def is_refusal(error: Exception) -> bool:
    """Whether ``error`` is the user's, found while the configuration was composed or built."""
    if isinstance(error, ConfigError | HydraException | OmegaConfBaseException):
        return True
    # hydra raises plain ValueErrors too, as for `device=null`.
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, ValueError) and "/hydra/" in frames[-1].filename


def refuse(error: BaseException) -> NoReturn:
    """Say in one line what was refused, and leave with exit status 2."""
    sys.stderr.write(f"error: {explain(error)}\n")
    sys.exit(2)


def explain(error: BaseException) -> str:
    """What ``ConfigError``, hydra or OmegaConf refused: in one line, but for a list of files."""
    if isinstance(error, ConfigError) and error.__cause__ is not None and "\n" in str(error):
        return str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        wanted = PurePosixPath(error.missing_cfg_file)
        return f"{wanted.parent}: must be one of {', '.join(error.options)}; got {wanted.name}"
    if isinstance(error, OverrideParseException):
        return f"{error.override}: cannot be read as key=value; {error.message.splitlines()[0]}"
    merged = re.search(r"merging override \+*([^\s=]+)=", str(error))
    if isinstance(error.__cause__, OmegaConfBaseException):
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # hydra's "In 'experiment/…': … raised while composing config:" is explained on the next line.
    text = " ".join(lines[: 2 if lines[:1] and lines[0].endswith(":") else 1])
    if not (isinstance(error, OmegaConfBaseException) and error.full_key):
        # OmegaConf loses the key of a list in a list; hydra has it.
        return f"{merged[1]}: {text}" if merged else text or type(error).__name__
    kind = error.object_type
    if isinstance(error, ConfigKeyError | ConfigAttributeError) and dataclasses.is_dataclass(kind):
        return unknown(error.full_key, kind)
    return f"{error.full_key}: {text}"


def unknown(key: str, kind: type) -> str:
    """The message for a key that the dataclass ``kind`` does not have."""
    names = (item.name for item in dataclasses.fields(kind) if not item.name.startswith("_"))
    allowed = ", ".join(names) or "no options"
    return f"{key}: there is no such key; {kind.__name__} has {allowed}"


def under_key(text: str, key: str, names: list[str]) -> str:
    """A class's message under the key that it was built for: it knows its group's name at best."""
    if text.startswith(f"{key}."):
        return text
    found = re.match(r"\w+\.(\w+)[\w.]*[:,]", text)
    if found and found[1] in names:
        return f"{key}.{text[found.start(1) :]}"
    return f"{key}: {text}"
