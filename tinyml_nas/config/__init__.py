"""From a composed configuration to a ``Study``: the only part of the package that knows hydra.

Every option file under ``conf/`` names its class by ``_target_``; the file is the registry. A
schema is derived from each such class and put into hydra's ConfigStore, where the option file
refers to it first in its defaults list::

    defaults:
      - /schema/L1@_here_
      - _self_
    _target_: tinyml_nas.pruning.l1.L1
    keep_ratio: 0.33

so that hydra refuses unknown keys and wrong types, and shows the class's own defaults. ``build``
checks the rest: allowed values, finite numbers, and what each class checks itself. The options of
``device`` are no YAML but the board files of the compiler, and ``device/*.toml`` of the user's folder.
"""

from __future__ import annotations

from tinyml_nas.config.build import GROUPS, build, check_tracking
from tinyml_nas.config.errors import ConfigError, is_refusal, refuse
from tinyml_nas.config.folders import CONF, option_folders
from tinyml_nas.config.overrides import check_groups, with_decimals
from tinyml_nas.config.register import register
from tinyml_nas.config.reserve import reserved
from tinyml_nas.config.usage import usage

__all__ = [
    "CONF",
    "GROUPS",
    "ConfigError",
    "build",
    "check_groups",
    "check_tracking",
    "is_refusal",
    "option_folders",
    "refuse",
    "register",
    "reserved",
    "usage",
    "with_decimals",
]
