from __future__ import annotations

import csv
import io
import json
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
from tinyml_nas.report.result import read_result, show, write_result
from tinyml_nas.report.summary import print_summary, write_summary
from tinyml_nas.report.table import print_result
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


def test_the_console_table_names_every_figure_and_where_it_is_kept(tmp_path):
    text = text_of(lambda console: print_result(RESULT, tmp_path / "result.json", console))
    for part in ("pruning=l1_0.33", "ok", "test_accuracy.float", "79.29 %", "801,000", "int8"):
        assert part in text
    assert str(tmp_path / "result.json") in text
    assert "0.6" not in text  # curves stay in the file


def test_the_console_says_that_a_baseline_does_not_fit_and_leaves_settings_in_the_file(tmp_path):
    baseline = {"name": "tinyol", "fits": False, "missing_bytes": {"mcu": {"ram": 1234}}}
    scenario = {"samples": 4321, "learner": {"buffer_samples": 5678}, "baseline": baseline}
    result = replace(RESULT, metrics={"scenario": scenario})
    text = text_of(lambda console: print_result(result, tmp_path / "result.json", console))
    rows = [line.split("│")[1:-1] for line in text.splitlines() if "scenario." in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["scenario.baseline.name", "tinyol"],
        ["scenario.baseline.fits", "False"],
        ["scenario.baseline.missing_bytes.mcu.ram", "1,234"],
    ]


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


def test_the_summary_to_read_has_what_was_varied_and_what_matters_and_differs(tmp_path):
    for job, accuracy in {"job-0": 0.79, "job-1": 0.78}.items():
        metrics = {
            "test_accuracy": {"float": figure(0.8), "pruned": figure(accuracy)},
            "omega": {"scale": accuracy},
        }
        overrides = (f"learner={job}", "device=pico2")
        write_result(Result("ok", metrics, overrides, {}), tmp_path / job)
    write_summary(tmp_path)
    header, rule, *rows = (tmp_path / "summary.md").read_text().splitlines()
    assert header == "| job | learner | status | pruned |"
    assert rule == "| --- | --- | --- | --- |"
    assert rows == ["| 0 | job-0 | ok | 79.00 % |", "| 1 | job-1 | ok | 78.00 % |"]


@given(overrides=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
@example(overrides=["search=[a|b]", "name=\\|\n| x |"])
def test_no_override_leaves_its_cell_of_the_summary(overrides):
    with tempfile.TemporaryDirectory() as folder:
        write_result(Result("ok", {}, tuple(overrides), {}), Path(folder) / "job-0")
        write_summary(Path(folder))
        text = (Path(folder) / "summary.md").read_text()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    keys = {text.partition("=")[0] for text in overrides}
    assert [token.type for token in tokens].count("td_open") == 2 + len(keys)
    assert tokens[0].type == "table_open"
    assert tokens[-1].type == "table_close"


def test_the_summary_has_short_titles_and_what_a_scenario_found_first(tmp_path):
    for job, end in {"job-0": 0.7, "job-1": 0.8}.items():
        driven = {"end": figure(end, n=20, deviation=0.01), "start": figure(end)}
        metrics = {
            "omega": {"buffer_samples": int(100 * end)},
            "test_accuracy": {"deployed": figure(end)},
            "scenario": {
                "learner": driven,
                "difference": {"all_end": figure(end, "accuracy_difference")},
            },
            "memory": {"mcu": {"missing_bytes": {"ram": int(10 * end)}}},
        }
        write_result(Result("ok", metrics, (f"stream={job}", "x=1"), {}), tmp_path / job)
    write_summary(tmp_path)
    header, _, first, _ = (tmp_path / "summary.md").read_text().splitlines()
    assert header == (
        "| job | stream | status | end | end - baseline's | deployed | N_B | ram missing (mcu) |"
    )
    assert first == "| 0 | job-0 | ok | 70.00 ± 1.00 % | +70.00 points | 70.00 % | 70 | 7 |"


def test_the_printed_summary_has_a_row_for_each_job(tmp_path):
    text = text_of(lambda console: print_summary(sweep(tmp_path), console))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines()]
    assert ["0", "job-0", "ok", "79.00 %", "79.00 %", "-"] in rows
    assert ["11", "11", "infeasible", "-", "-", "7"] in rows


def test_a_sweep_without_results_has_an_empty_summary(tmp_path):
    write_summary(tmp_path)
    assert (tmp_path / "summary.csv").read_text().strip() == ""
    print_summary(tmp_path, Console(file=io.StringIO()))


def test_a_study_that_raises_leaves_a_failed_result(tmp_path):
    class Study:
        overrides = ("seed=1",)
        output_dir = tmp_path

    with pytest.raises(RuntimeError, match="boom"), report.failures_in(Study()):
        raise RuntimeError("boom")
    stored = json.loads((tmp_path / "result.json").read_text())
    assert stored["status"] == "failed"
    assert stored["metrics"] == {"error": "RuntimeError: boom"}
    assert stored["overrides"] == ["seed=1"]


def test_the_table_says_how_many_steps_were_trained_and_why_evaluations_failed(tmp_path):
    metrics = {
        "search": {"evaluations": 80, "failed": 3, "failures": {"MemoryError: short": 3}},
        "training": {"float": {"steps": 0, "seconds": 12345, "loss": []}},
    }
    out = io.StringIO()
    result = Result("ok", metrics, (), {})
    print_result(result, tmp_path / "result.json", Console(file=out, width=100))
    rows = {
        cells[1].strip(): cells[2].strip()
        for line in out.getvalue().splitlines()
        if len(cells := line.split("│")) == 4
    }
    assert rows["search.failed"] == rows["search.failures.MemoryError: short"] == "3"
    assert rows["training.float.steps"] == "0"
    assert "12,345" not in out.getvalue()
