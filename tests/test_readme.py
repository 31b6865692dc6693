"""The commands that the README offers are ones that work, and what refers to a page's section finds one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir

from tinyml_nas import config
from tinyml_nas.network.own import kind_of
from tinyml_nas.network.shipped import NETWORKS, SPEC_FILE
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pipeline import bounds

README = Path(__file__).parents[1] / "README.md"
DOCS = sorted((README.parent / "docs").glob("*.md"))
OFFERED = {
    (found[1] is not None, found[2].strip())
    for path in (README, *DOCS)
    for found in re.finditer(
        r"^ {4}(?:time )?python run\.py (-m )?((?!store |doctor)[^#\n-][^#\n]*)",
        path.read_text().replace("\\\n", ""),
        re.MULTILINE,
    )
}
COMMANDS = sorted(text for is_sweep, text in OFFERED if not is_sweep)
SWEEPS = sorted(text for is_sweep, text in OFFERED if is_sweep)
RESULTS = README.parent / "docs" / "results.md"
CHOICES = README.parent / "docs" / "choices.md"

EXPERIMENTS = sorted((README.parent / "conf" / "experiment").glob("*.yaml"))


def study_of(*overrides: str):
    config.register()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        return config.build(compose("config", [*overrides, "name=test"]), Path("out"))


SHIPPED = [
    text
    for text in COMMANDS
    if (name := re.search(r"(?<!_)network=(\S+)", text))
    and not kind_of(name[1])
    and "/" not in name[1]  # the folder of a run, which the reader has
]


@pytest.mark.parametrize("command", SHIPPED)
def test_a_network_that_is_offered_is_not_refused_as_too_large(command: str) -> None:
    # What transfer learns asks for its pictures at once, and is nothing to the size.
    left_out = ("name=", "scenario=transfer")
    overrides = [item for item in shlex.split(command) if not item.startswith(left_out)]
    study = study_of(*overrides)
    spec = NetworkSpec.from_json((NETWORKS.folder(study.network) / SPEC_FILE).read_text())
    assert bounds.too_large(study, spec) is None


def test_networks_are_offered_at_all() -> None:
    assert SHIPPED
    assert SWEEPS


def test_keys_and_options_of_every_command_are_there() -> None:
    config.register()
    seen: set[str] = set()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        for command in sorted((text for _, text in OFFERED), key=len, reverse=True):
            items = shlex.split(command)
            for group, _, names in (item.partition("=") for item in items):
                assert not (config.CONF / group).is_dir() or set(names.split(",")) <= options(group)
            keys = {item.partition("=")[0] for item in items}
            if not keys <= seen:  # composing takes a quarter of a second
                compose("config", [i if "[" in i else i.partition(",")[0] for i in items])
            seen |= keys


def options(group: str) -> set[str]:
    if group == "device":
        return {path.stem for path in (README.parent / "codegen" / "boards").glob("*.toml")}
    return {path.stem for path in (config.CONF / group).glob("*.yaml")}


def test_the_page_of_choices_has_every_option_of_its_groups() -> None:
    rows = re.findall(r"^\| `(\w+)`.*?\| (.*?) \|", CHOICES.read_text(), re.MULTILINE)
    assert rows
    for group, told in rows:
        names = set(re.findall(r"`(\w[\w.]*)`", told))
        assert names >= {name for name in options(group) if not only_renames(group, name)}, group


def only_renames(group: str, name: str) -> bool:
    path = config.CONF / group / f"{name}.yaml"
    return path.is_file() and yaml.safe_load(path.read_text()).keys() == {"defaults"}


def test_the_front_page_has_the_figures_of_the_results() -> None:
    reached = re.findall(r"^\|.*?`network=(\w+)`.*?\| (\S+ %) \|", README.read_text(), re.MULTILINE)
    assert reached
    for network, share in reached:
        rows = re.findall(rf"^\| `{network}`.*$", RESULTS.read_text(), re.MULTILINE)
        assert any(f"**{share}**" in row for row in rows), network


@pytest.mark.parametrize("page", [README, README.parent / "docs" / "compiler.md"])
def test_what_is_said_of_the_generated_code_follows_from_its_table(page: Path) -> None:
    results = RESULTS.read_text()
    ours = r"^\| [^|]+\| M4 \| \*\*([\d,]+)\*\* \| ([\d.]+) M \|"
    counts = [
        1e6 * float(theirs) / int(here.replace(",", ""))
        for here, theirs in re.findall(ours, results, re.MULTILINE)
    ]
    arenas = [
        100 * int(here.replace(",", "")) / int(theirs.replace(",", ""))
        for here, theirs in re.findall(
            r"^\| \S+ \| \*\*([\d,]+)\*\* \| ([\d,]+) \| ", results, re.MULTILINE
        )
    ]
    assert len(counts) == len(arenas) == 3
    said = " ".join(page.read_text().split())
    assert f"{min(counts):.1f} to {max(counts):.1f} times fewer instructions" in said
    assert f"{min(arenas):.0f} to {max(arenas):.0f} % of its activation memory" in said


@pytest.mark.parametrize("name", NETWORKS.names)
def test_every_shipped_network_fits_the_default_board_by_its_own_memory(name: str) -> None:
    study = study_of(f"network={name}", "memory=mcu")
    spec = NetworkSpec.from_json((NETWORKS.folder(name) / SPEC_FILE).read_text())
    assert bounds.too_large(study, spec) is None


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "page", [*sorted(README.parent.glob("*.md")), *DOCS], ids=lambda page: page.name
)
def test_links_lead_to_a_file_and_a_section(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        path, _, section = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        anchors = [
            re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            for title in (headings(target) if section else ())
        ]
        assert not section or anchors.count(section) == 1, link


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
