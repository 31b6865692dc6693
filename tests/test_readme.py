"""The commands that the README offers are ones that work."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from tinyml_nas import config
from tinyml_nas.network.shipped import NETWORKS, SPEC_FILE
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pipeline import bounds

README = Path(__file__).parents[1] / "README.md"
DOCS = sorted((README.parent / "docs").glob("*.md"))
COMMANDS = sorted(
    {
        found[1].strip()
        for path in (README, *DOCS)
        for found in re.finditer(
            r"^ {4}python run\.py ([^#\n-][^#\n]*)", path.read_text(), re.MULTILINE
        )
    }
)


def study_of(*overrides: str):
    config.register()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        return config.build(compose("config", [*overrides, "name=test"]), Path("out"))


@pytest.mark.parametrize("command", [text for text in COMMANDS if "network=" in text])
def test_a_network_that_is_offered_is_not_refused_as_too_large(command: str) -> None:
    overrides = [item for item in shlex.split(command) if not item.startswith("name=")]
    study = study_of(*overrides)
    spec = NetworkSpec.from_json((NETWORKS.folder(study.network) / SPEC_FILE).read_text())
    assert bounds.too_large(study, spec) is None


def test_networks_are_offered_at_all() -> None:
    assert [text for text in COMMANDS if "network=" in text]


@pytest.mark.parametrize("name", NETWORKS.names)
def test_every_shipped_network_fits_the_default_board_by_its_own_memory(name: str) -> None:
    study = study_of(f"network={name}", "memory=mcu")
    spec = NetworkSpec.from_json((NETWORKS.folder(name) / SPEC_FILE).read_text())
    assert bounds.too_large(study, spec) is None
