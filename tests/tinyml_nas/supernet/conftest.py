"""The shipped spaces, and the one for tests, as fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.spaces import TINY_SPACE
from tinyml_nas.supernet.space import MobileNetV3Space

CONF = Path(__file__).parents[3] / "conf" / "supernet"


def space_from(option: str, kind: type[Any] = MobileNetV3Space) -> Any:
    """Read an option file without hydra."""
    fields = yaml.safe_load((CONF / f"{option}.yaml").read_text())
    del fields["_target_"], fields["defaults"]
    lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
    return kind(**{**fields, **lists})


@pytest.fixture(scope="session")
def mcu_space() -> MobileNetV3Space:
    return space_from("mbv3_mcu")


@pytest.fixture(scope="session")
def ofa_space() -> MobileNetV3Space:
    return space_from("ofa_mbv3")


@pytest.fixture(scope="session")
def tiny_space() -> MobileNetV3Space:
    return TINY_SPACE
