"""What hydra's grammar of overrides does not know: addresses as data sheets write them, and groups."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep
from hydra.errors import HydraException

from tinyml_nas.config.errors import ConfigError

_NUMBER = re.compile(r"(?<![\w.])0[xX][0-9a-fA-F_]+(?![\w.])")


def with_decimals(arguments: Sequence[str]) -> list[str]:
    """The command line with the hexadecimal numbers of ``device.…=`` in decimal.

    YAML knows both; hydra's grammar of overrides takes the others for text.

    >>> with_decimals(["device.flash_origin=0x08000000", "name=0x10"])
    ['device.flash_origin=134217728', 'name=0x10']
    """
    return [_decimal(item) if _names_a_device(item) else item for item in arguments]


def check_groups(arguments: Sequence[str], groups: Collection[str]) -> None:
    """Refuse what can be no option of a group: hydra would, without saying of which.

    Raises:
        ConfigError: naming the group.
    """
    parser = OverridesParser.create()
    for argument in arguments:
        group = argument.partition("=")[0].lstrip("+").partition("@")[0]
        if group not in groups or "=" not in argument:
            continue
        try:
            value = parser.parse_override(argument).value()
        except HydraException:
            continue  # hydra names it
        for option in value.list if isinstance(value, ChoiceSweep) else [value]:
            if not (isinstance(option, str) and option):
                given = argument.partition("=")[2]
                raise ConfigError(f"{group}: must be the name of one of its options; got {given}")


def _names_a_device(argument: str) -> bool:
    return argument.lstrip("+").startswith("device.")


def _decimal(argument: str) -> str:
    key, equals, value = argument.partition("=")
    return key + equals + _NUMBER.sub(lambda found: str(int(found[0], 16)), value)
