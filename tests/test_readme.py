"""The commands that the README offers are ones that work, and what refers to a page's section finds one."""

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

EXPERIMENTS = sorted((README.parent / "conf" / "experiment").glob("*.yaml"))


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


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", [README, *DOCS], ids=lambda page: page.name)
def test_links_lead_to_a_file_and_a_section(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        path, _, section = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        anchors = [
            re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            for title in (headings(target) if section else ())
        ]
        assert not section or section in anchors, link


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_what_an_experiment_tells_to_expect_stands_in_the_results(path: Path) -> None:
    comment = " ".join(line.removeprefix("# ") for line in path.read_text().splitlines())
    for page, title in re.findall(r'(docs/\S+\.md), "([^"]+)"', comment):
        assert title in headings(README.parent / page)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_the_commands_of_an_experiment_compose(path: Path) -> None:
    commands = re.findall(r"^# {5}python run\.py ([^\n]*)$", path.read_text(), re.MULTILINE)
    assert commands
    for command in commands:
        items = [item for item in shlex.split(command) if item != "-m"]
        study_of(*(item.partition(",")[0] for item in items))  # of a sweep the first job
