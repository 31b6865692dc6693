from __future__ import annotations

import csv
import io
import json
import re
import shlex
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from tinyml_nas import report
from tinyml_nas.network.shipped import NETWORKS
from tinyml_nas.pipeline import metrics
from tinyml_nas.report.headline import rows
from tinyml_nas.report.result import read_result, show, write_result
from tinyml_nas.report.summary import print_summary, write_summary
from tinyml_nas.report.table import print_result
from tinyml_nas.tracking.none import NoTracking
from tinyml_nas.types import Figure, Result


def figure(value: float, unit: str = "accuracy", n: int = 10_000, **more) -> dict:
    return asdict(Figure(value, unit, n, **more))


RESULT = Result(
    status="ok",
    metrics={
        "test_accuracy": {"float": figure(0.7929), "pruned": figure(0.7715)},
        "memory": {"ram_bytes": 801_000, "missing_bytes": {}},
        "curve": [0.5, 0.6],
        "linked_bytes": None,
        "omega": {"dtype": "int8", "scale": 0.0123456},
    },
    overrides=("pruning=l1_0.33",),
    provenance={"seed": 0},
)


@pytest.mark.parametrize("name", NETWORKS.names)
def test_a_shipped_networks_card_is_printed_beside_what_was_measured(name, tmp_path):
    folder = NETWORKS.folder(name)
    measured = figure(0.871, n=1000, interval=(0.849, 0.89))
    found = {"test_accuracy": {"deployed": measured}, "omega": {"dtype": "int8"}}
    told = dict(rows(replace(RESULT, metrics=found | metrics.card(folder))))
    claimed = re.search(
        r"^[|] int8, .* [|] (.*) % [(](.*)-(.*)[)] [|]$",
        (folder / "card.md").read_text(),
        re.MULTILINE,
    )
    assert told["the network's card says"] == (
        "{} % ({} to {}) (int8), of 10,000 test images of Cifar10; the one above is of 1,000".format(
            *claimed.groups()
        )
    )
    assert metrics.card(tmp_path) == {}
    assert "the network's card says" not in dict(rows(replace(RESULT, metrics=found)))


def text_of(draw) -> str:
    stream = io.StringIO()
    draw(Console(file=stream, width=200, no_color=True))
    return stream.getvalue()


def test_a_result_is_read_back_equal(tmp_path):
    path = write_result(RESULT, tmp_path)
    assert read_result(path) == RESULT
    assert [item.name for item in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"overrides": []}'])
def test_what_is_not_a_result_is_refused_by_name(tmp_path, text):
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"result\.json: not a result"):
        read_result(path)


def test_a_result_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = write_result(RESULT, tmp_path)
    bad = Result("ok", {"accuracy": float("nan")}, (), {})
    with pytest.raises(ValueError, match="JSON"):
        write_result(bad, tmp_path)
    assert read_result(path) == RESULT


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Figure(0.7929, "accuracy", 10_000), "79.29 %"),
        (Figure(0.7929, "accuracy", 20, 0.0123, (0.7, 0.8)), "79.29 ± 1.23 %"),
        (Figure(0.9, "share", 20, 0.3), "90.00 ± 30.00 %"),
        (Figure(0.0121, "accuracy_difference", 20, 0.01), "+1.21 ± 1.00 points"),
        (Figure(-0.0121, "accuracy_difference", 1), "-1.21 points"),
        (Figure(1234.4, "samples", 17, 20.6), "1,234 ± 21 samples"),
        (801000, "801,000"),
        (0.0123456, "0.01235"),
        (0.79, "0.79"),
        (None, "-"),
        (True, "True"),
        ("int8", "int8"),
    ],
)
def test_figures_are_shown_for_people_in_their_unit(value, shown):
    assert show(value) == shown


MEMORY = {
    "thesis": {"ram_bytes": 255_835, "ram_limit_bytes": 256_000, "missing_bytes": {}},
    "mcu": {
        "flash_bytes": 271_149,
        "flash_limit_bytes": 2_064_384,
        "ram_bytes": 34_864,
        "ram_limit_bytes": 1_048_576,
        "missing_bytes": {},
    },
}
DEPLOYED = Result(
    status="ok",
    metrics={
        "search": {"evaluations": 80, "failures": {"MemoryError: short": 3}},
        "training": {"float": {"steps": 12_345, "loss": [0.5, 0.25]}},
        "test_accuracy": {
            "float": figure(0.7929),
            "pruned": figure(0.7715),
            "deployed": figure(0.77, interval=(0.761, 0.779)),
        },
        "network": {"parameters": 227_138, "macs": 6_050_592},
        "omega": {
            "dtype": "int8",
            "resolution": 40,
            "buffer_samples": 19,
            "bound": "memory.budget_bytes",
        },
        "memory": MEMORY,
        "scenario": {
            "world": "ConceptDrift",
            "samples": 800,
            "learner": {
                "name": "tybox",
                "end": figure(0.854, n=20, deviation=0.0126),
                "frozen_end": figure(0.688, n=20, deviation=0.0),
            },
            "baseline": {"name": "tinyol", "end": figure(0.85, n=20, deviation=0.0186)},
        },
    },
    overrides=("pruning=l1_0.33",),
    provenance={"device": "nucleo_1mb"},
    took={"seconds": 36.84, "stages": [{"stage": "search", "seconds": None}]},
)


def told(result: Result, tmp_path: Path) -> dict[str, str]:
    """What the console says of a result, by title."""
    text = text_of(lambda console: print_result(result, tmp_path / "result.json", console))
    pairs = (line.split("  ", 1) for line in text.splitlines()[1:] if "  " in line)
    return {title.strip(): value.strip() for title, value in pairs}


def test_the_console_shows_the_dozen_figures_that_matter_and_no_other(tmp_path):
    assert told(DEPLOYED, tmp_path) == {
        "status": "ok",
        "board": "nucleo_1mb: 2,064,384 B of flash, 1,048,576 B of RAM",
        "fits": "yes",
        "network": "227,138 parameters, 6.05 M multiply-adds, 40×40 pixels",
        "accuracy, float": "79.29 %",
        "accuracy, pruned": "77.15 %",
        "accuracy as deployed": "77.00 % (76.1 to 77.9) (int8)",
        "after the change, unlearned": "68.80 ± 0.00 % (ConceptDrift)",
        "after learning": "85.40 ± 1.26 % (tybox, 800 samples)",
        "baseline": "85.00 ± 1.86 % (tinyol)",
        "replay buffer, N_B": "19 samples, as memory.budget_bytes allows",
        "flash": "271,149 of 2,064,384 B (13%)",
        "RAM": "34,864 of 1,048,576 B (3%)",
        "budget of Ω": "255,835 of 256,000 B (100%)",
        "time": "36.8 s",
    }


def test_the_console_says_what_to_set_where_a_label_takes_long(tmp_path):
    omega = {**DEPLOYED.metrics["omega"], "quicker": {"replayed": 7}}
    slow = replace(DEPLOYED, metrics={**DEPLOYED.metrics, "omega": omega})
    told_of = told(slow, tmp_path)["replay buffer, N_B"]
    assert told_of.startswith(
        "19 samples, as memory.budget_bytes allows; a label takes more than a second"
    )
    assert told_of.endswith("but with learner.replayed=7")


def test_the_console_says_that_nothing_was_calibrated_without_a_world(tmp_path):
    metrics = {key: value for key, value in DEPLOYED.metrics.items() if key != "scenario"}
    told_of = told(replace(DEPLOYED, metrics=metrics), tmp_path)
    assert told_of["after learning"].startswith("not tried (scenario=none): learning rate and")
    assert "not calibrated" in told_of["after learning"]
    metrics.pop("test_accuracy")
    assert "after learning" not in told(replace(DEPLOYED, metrics=metrics), tmp_path)


def test_the_console_names_the_run_and_where_all_figures_are(tmp_path):
    text = text_of(lambda console: print_result(DEPLOYED, tmp_path / "result.json", console))
    assert text.splitlines()[0].strip() == "pruning=l1_0.33"
    assert f"all figures: {tmp_path / 'result.json'}" in text


def test_the_console_says_by_how_much_a_network_and_a_baseline_do_not_fit(tmp_path):
    memory = {"thesis": {"missing_bytes": {"ram": 77}}, "mcu": {"missing_bytes": {"flash": 1234}}}
    result = replace(DEPLOYED, status="infeasible", metrics={"memory": memory})
    assert told(result, tmp_path)["fits"] == (
        "no: budget (thesis) 77 B too small; flash 1,234 B too small"
    )
    result = replace(result, metrics={"search": {"exceeds": {"sram_bytes": 4321}}})
    assert told(result, tmp_path)["fits"] == "no: sram_bytes 4,321 too much"
    baseline = {"name": "tinyol", "fits": False, "missing_bytes": {"mcu": {"ram": 1234}}}
    result = replace(result, metrics={"scenario": {"baseline": baseline}})
    assert told(result, tmp_path)["baseline"] == "tinyol does not fit: RAM 1,234 B too small"


def test_the_console_tells_what_a_training_reached_and_why_a_run_failed(tmp_path):
    reached = {"validation_accuracy": {"smallest": figure(0.8), "largest": figure(0.9)}}
    assert told(replace(DEPLOYED, metrics=reached), tmp_path).items() >= {
        ("validation accuracy, smallest", "80.00 %"),
        ("validation accuracy, largest", "90.00 %"),
    }
    failed = replace(DEPLOYED, status="failed", metrics={"error": "RuntimeError: [boom]"})
    assert told(failed, tmp_path)["error"] == "RuntimeError: [boom]"


def test_old_results_without_a_board_or_seconds_are_told_too(tmp_path):
    old = replace(DEPLOYED, provenance={}, took={})
    assert not {"board", "time"} & told(old, tmp_path).keys()


def test_the_next_command_stands_under_the_table_where_there_is_a_project(tmp_path):
    run = tmp_path / "a [b] run"
    (run / "project").mkdir(parents=True)
    text = text_of(lambda console: print_result(RESULT, run / "result.json", console))
    (command,) = (line for line in text.splitlines() if "cmake" in line)
    assert shlex.split(command)[:5] == [
        "cmake",
        "-S",
        f"{run}/project",
        "-B",
        f"{run}/project/build",
    ]
    assert shlex.split(command)[-3:] == ["ctest", "--test-dir", f"{run}/project/build"]
    text = text_of(lambda console: print_result(RESULT, tmp_path / "result.json", console))
    assert "cmake" not in text


def sweep(tmp_path: Path) -> Path:
    accuracies = {"job-0": 0.79, "job-2": 0.78, "job-10": 0.65}
    for job, accuracy in accuracies.items():
        metrics = {"test_accuracy": {"float": figure(0.79), "pruned": figure(accuracy)}}
        write_result(Result("ok", metrics, (f"job={job}",), {}), tmp_path / job)
    infeasible = Result(
        "infeasible", {"memory": {"mcu": {"missing_bytes": {"ram": 7}}}}, ("job=11",), {}
    )
    write_result(infeasible, tmp_path / "job-11")
    return tmp_path


def test_the_summary_has_a_row_for_each_job_in_order(tmp_path):
    write_summary(sweep(tmp_path))
    with (tmp_path / "summary.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["job"] for row in rows] == ["job-0", "job-2", "job-10", "job-11"]
    assert [row["status"] for row in rows] == ["ok", "ok", "ok", "infeasible"]
    assert [row["test_accuracy.pruned"] for row in rows] == ["0.79", "0.78", "0.65", ""]
    assert rows[0]["test_accuracy.pruned.n"] == "10000"
    assert rows[0]["test_accuracy.pruned.unit"] == "accuracy"
    assert rows[3]["memory.mcu.missing_bytes.ram"] == "7"


@given(overrides=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
@example(overrides=["search=[a|b]", "name=\\|\n| x |"])
def test_no_override_leaves_its_cell_of_the_summary(overrides):
    with tempfile.TemporaryDirectory() as folder:
        write_result(Result("ok", {}, tuple(overrides), {}), Path(folder) / "job-0")
        write_summary(Path(folder))
        text = (Path(folder) / "summary.md").read_text()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    keys = {text.partition("=")[0] for text in overrides}
    assert [token.type for token in tokens].count("td_open") == 2 + len(keys)  # job, keys, status
    assert tokens[0].type == "table_open"
    assert tokens[-1].type == "table_close"


def test_a_sweep_without_results_has_an_empty_summary(tmp_path):
    write_summary(tmp_path)
    assert (tmp_path / "summary.csv").read_text().strip() == ""
    print_summary(tmp_path, Console(file=io.StringIO()))


def test_a_study_that_raises_leaves_a_failed_result(tmp_path):
    class Study:
        overrides = ("seed=1",)
        output_dir = tmp_path
        tracking = NoTracking()

    with pytest.raises(RuntimeError, match="boom"), report.failures_in(Study()):
        raise RuntimeError("boom")
    stored = json.loads((tmp_path / "result.json").read_text())
    assert stored["status"] == "failed"
    assert stored["metrics"] == {"error": "RuntimeError: boom"}
    assert stored["overrides"] == ["seed=1"]


def swept(tmp_path: Path) -> Path:
    """Three jobs: two went well, one failed."""
    for number, (learner, end) in enumerate({"tybox": 0.7, "rls": 0.8}.items()):
        scenario = {**DEPLOYED.metrics["scenario"]}
        scenario["learner"] = {"name": learner, "end": figure(end, n=20, deviation=0.01)}
        result = replace(
            DEPLOYED,
            metrics={**DEPLOYED.metrics, "scenario": scenario},
            overrides=(f"learner={learner}", "device=pico2"),
            took={
                "seconds": 9.0,
                "stages": [{"stage": "search", "seconds": 5 if not number else None}],
            },
        )
        write_result(result, tmp_path / f"job-{number}")
    failed = Result("failed", {"error": "boom"}, ("learner=ncm", "device=pico2"), {})
    write_result(failed, tmp_path / "job-2")
    return tmp_path


def test_a_sweep_has_a_row_for_each_job_and_a_column_for_what_was_varied_and_what_matters(tmp_path):
    write_summary(swept(tmp_path))
    header, rule, *rows = (tmp_path / "summary.md").read_text().splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (header, *rows)]
    named = [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]
    assert rule == "|" + " --- |" * len(cells[0])
    assert [row["learner"] for row in named] == ["tybox", "rls", "ncm"]
    assert "device" not in cells[0]
    assert [row["came of it"] for row in named] == ["ok", "ok", "failed"]
    assert [row["learned %"] for row in named] == ["70.0 ± 1.0", "80.0 ± 1.0", "-"]
    assert named[0].items() >= {"deployed %": "77.0", "N_B": "19", "flash kB": "271.1"}.items()
    assert named[2]["error"] == "boom"


def test_the_printed_sweep_fits_a_terminal_and_says_what_ran_and_what_failed(tmp_path):
    stream = io.StringIO()
    print_summary(swept(tmp_path), Console(file=stream, width=100, no_color=True))
    text = stream.getvalue()
    assert max(map(len, text.splitlines()[3:6])) <= 100
    assert "…" not in text
    assert "stages that ran, of those that jobs asked for: search 1 of 2" in text
    assert "failed: job-2 (learner=ncm device=pico2): boom" in text


def test_what_all_jobs_share_is_said_in_a_line(tmp_path):
    for number in range(2):
        write_result(replace(DEPLOYED, overrides=(f"x={number}",)), tmp_path / f"job-{number}")
    text = text_of(lambda console: print_summary(tmp_path, console))
    (line,) = (line for line in text.splitlines() if line.startswith("the same for all:"))
    assert "float % 79.3" in line
    assert text.count("float %") == 1
