"""The shipped spaces, and one small enough to train in a test."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tinyml_nas.supernet.space import MobileNetV3Space

CONF = Path(__file__).parents[3] / "conf" / "supernet"


def space_from(option: str) -> MobileNetV3Space:
    """Read an option file without hydra."""
    fields = yaml.safe_load((CONF / f"{option}.yaml").read_text())
    del fields["_target_"], fields["defaults"]
    lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
    return MobileNetV3Space(**{**fields, **lists})


@pytest.fixture(scope="session")
def mcu_space() -> MobileNetV3Space:
    return space_from("mbv3_mcu")


@pytest.fixture(scope="session")
def ofa_space() -> MobileNetV3Space:
    return space_from("ofa_mbv3")


@pytest.fixture(scope="session")
def tiny_space() -> MobileNetV3Space:
    return MobileNetV3Space(
        resolutions=(16, 24),
        depths=(1, 2),
        kernels=(3, 5),
        expansions=(2, 3),
        stem_channels=8,
        stem_stride=2,
        widths=(8, 16, 24),
        strides=(1, 2, 2),
        hard_swish=(False, False, True),
        squeeze_excite=(False, True, True),
        final_channels=48,
        features=32,
    )
