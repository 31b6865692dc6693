"""The thesis's figure 2, from results that sweeps leave."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import asdict

from benchmarks.figure2 import distinct, draw, rows_of, table
from tinyml_nas.types import Figure, Result


def figure(value: float, n: int = 20) -> dict:
    return asdict(Figure(value, "accuracy", n, 0.01, (value - 0.1, value + 0.1)))


def driven(name: str, end: float, probes=("all",)) -> dict:
    found = {"name": name, "curves": {}, "spreads": {}, "ends": {}}
    for number, probe in enumerate(probes):
        prefix = "" if probe == "all" else f"{probe}_"
        found[f"{prefix}end"] = figure(end + number / 10)
        found[f"{prefix}end_as_published"] = figure(end + number / 10, 5)
        found["curves"][probe] = [0.1, 0.2, 0.3]
        found["spreads"][probe] = [0.0, 0.1, 0.0]
    return found


def result(world: str, network: str, learner: dict, seen: str | None = None) -> Result:
    scenario = {
        "world": world,
        "stream": "Shuffled",
        "new_classes_seen_in_training": seen,
        "learner": learner,
        "baseline": driven("tinyol", 0.5, tuple(learner["curves"])),
    }
    said = f"network={network}"
    if world == "ClassIncremental":
        said = f"base_network={network}"
    return Result("ok", {"scenario": scenario}, ("network=omega_801kb", said, "x=1"), {})


RESULTS = [
    result("Transfer", "omega_801kb", driven("tybox", 0.6)),
    result("Transfer", "omega_801kb", driven("rls", 0.7)),
    result(
        "ClassIncremental",
        "/a/class_incremental/network",
        driven("tybox", 0.4, ("new", "old")),
        "ship",
    ),
    Result("infeasible", {"memory": {}}, (), {}),
]
RESULTS[1].metrics["scenario"]["baseline"] = {"name": "rls", "fits": False, "missing_bytes": {}}


def test_there_is_a_row_for_each_program_and_probe_and_the_baseline_once():
    rows = distinct(row for item in RESULTS for row in rows_of(item))
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table(rows).splitlines()[2:]
    ]
    assert [(row[0], row[2], row[3], row[4]) for row in cells] == [
        ("Transfer", "all", "omega_801kb", "tybox"),
        ("Transfer", "all", "omega_801kb", "tinyol"),
        ("Transfer", "all", "omega_801kb", "rls"),
        ("ClassIncremental", "new", "class_incremental", "tybox"),
        ("ClassIncremental", "old", "class_incremental", "tybox"),
        ("ClassIncremental", "new", "class_incremental", "tinyol"),
        ("ClassIncremental", "old", "class_incremental", "tinyol"),
    ]
    assert cells[0][5:] == ["60.00 ± 1.00 %", "60.00 ± 1.00 %", ".320 ± .041"]
    assert cells[1][7] == ".021 ± .020"
    assert cells[2][7] == ""
    assert "no figure of new classes" in cells[3][5]
    assert [row[7] for row in cells[3:]] == [".353 ± .047", ".502 ± .008", ".243 ± .240", ""]


def test_the_picture_has_a_panel_for_each_probe(tmp_path):
    rows = distinct(row for item in RESULTS for row in rows_of(item))
    draw(rows, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes()[1:4] == b"PNG"
    draw(rows, tmp_path / "picture.svg")
    found = ET.parse(tmp_path / "picture.svg").iter()
    assert len([item for item in found if item.get("id", "").startswith("axes_")]) == 3


def test_a_float_program_stands_beside_the_thesis_s_float_baseline():
    """Its rows are its own, though the network is the same."""
    job = result("Transfer", "omega_801kb", driven("tybox", 0.65))
    job.metrics["omega"] = {"dtype": "float32"}
    rows = distinct(row for item in (RESULTS[0], job) for row in rows_of(item))
    assert [(row.network, row.learner, row.thesis) for row in rows] == [
        ("omega_801kb", "tybox", ".320 ± .041"),
        ("omega_801kb", "tinyol", ".021 ± .020"),
        ("omega_801kb, float", "tybox", ".505 ± .092"),
        ("omega_801kb, float", "tinyol", ""),
    ]
