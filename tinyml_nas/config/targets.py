"""What a ``_target_`` may name."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

from tinyml_nas.config.errors import ConfigError

ALLOWED_PREFIXES = ("tinyml_nas.", "codegen.", "scenarios.")
"""A configuration is data: it must not name arbitrary code."""


def plugin_class(target: object, key: str) -> type[Any]:
    """The dataclass that ``target`` names; ``key`` is where the configuration says so.

    Raises:
        ConfigError: it is not allowed, or there is no such dataclass.
    """
    if not isinstance(target, str) or not target.startswith(ALLOWED_PREFIXES):
        raise ConfigError(
            f"{key}._target_: must name a class under {', '.join(ALLOWED_PREFIXES)}; got {target!r}"
        )
    module, _, name = target.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ModuleNotFoundError, AttributeError) as error:
        raise ConfigError(f"{key}._target_: there is no {target} ({error})") from error
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise ConfigError(f"{key}._target_: must be a dataclass; got {target!r}")
    return kind


def is_protocol(hint: Any) -> bool:
    """Whether a field's type stands for any plug-in of another group."""
    return bool(getattr(hint, "_is_protocol", False))
