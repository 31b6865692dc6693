"""The tutorial's commands: those that cost little are run, those that take minutes are composed and built."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir

from tinyml_nas import config

ROOT = Path(__file__).parents[1]
COMMANDS = re.findall(
    r"^ {4}python (run\.py [^\n#]*)", (ROOT / "docs" / "tutorial.md").read_text(), re.MULTILINE
)
RUN = [text.strip() for text in COMMANDS if "doctor" in text or "--cfg job" in text]
COMPOSED = [
    text.strip() for text in COMMANDS if text.strip() not in RUN and "--compare" not in text
]


@pytest.mark.parametrize("command", RUN)
def test_what_costs_little_runs(command: str) -> None:
    done = subprocess.run(
        [sys.executable, *shlex.split(command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout
    assert done.returncode in ((0, 1) if "doctor" in command else (0,))


@pytest.mark.parametrize("command", COMPOSED)
def test_what_takes_minutes_is_not_refused(command: str) -> None:
    config.register()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        config.build(compose("config", shlex.split(command)[1:]), Path("out"))


def test_runs_are_compared_that_the_tutorial_made() -> None:
    (compared,) = (text for text in COMMANDS if "--compare" in text)
    names = {found for text in COMPOSED for found in re.findall(r"name=(\w+)", text)}
    assert {Path(folder).name for folder in shlex.split(compared)[2:]} <= names


def test_the_site_has_every_page() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    pages = {
        page
        for part in nav
        for entries in part.values()
        for each in entries
        for page in each.values()
    }
    assert pages == {path.name for path in (ROOT / "docs").glob("*.md")}
