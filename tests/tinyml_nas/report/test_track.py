"""What a tracker is told of a run, and that it cannot fail one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.tinyml_nas.report.test_page import full, run
from tinyml_nas import report
from tinyml_nas.report.page import write_page
from tinyml_nas.report.track import track, tracked
from tinyml_nas.tracking.base import Tracked


@dataclass
class Kept:
    """A tracker that keeps what it is told, or fails."""

    error: Exception | None = None
    told: list[Tracked] = field(default_factory=list)

    def record(self, run: Tracked) -> None:
        if self.error is not None:
            raise self.error
        self.told.append(run)


def study_of(folder: Path, tracker: Kept) -> SimpleNamespace:
    return SimpleNamespace(output_dir=folder, tracking=tracker, overrides=("a=1",))


def test_configuration_figures_curves_and_files_of_a_job_are_told(tmp_path):
    folder = run(tmp_path / "sweep" / "job-0")
    write_page(folder)
    (folder / "project").mkdir()
    with (folder / ".hydra" / "config.yaml").open("a") as stream:
        stream.write("tracking:\n  uri: http://me:secret@host\n")
    found = tracked(folder, full())
    assert found.name == "sweep/job-0"
    assert found.parameters == {"name": "x", "learner.kind": "tybox", "learner.passes": "1"}
    assert found.figures["test_accuracy.deployed"] == 0.77
    assert found.figures["program.flash_bytes"] == 271_149
    assert all(isinstance(value, float) for value in found.figures.values())
    assert found.curves["scenario.learner.curve.all"] == [0.9, 0.5, 0.7, 0.8]
    assert [path.name for path in found.files] == ["report.html", "result.json", "project"]


def test_a_tracker_that_is_down_is_told_in_one_line_and_fails_nothing(tmp_path, capsys):
    folder = run(tmp_path / "run")
    study = study_of(folder, Kept(ConnectionError("no route\nto host" + "x" * 1000)))
    track(study, full())
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "warning: tracking: Kept did not record this run (ConnectionError: no route to"
    )
    assert line.endswith(f"its figures are in {folder / 'result.json'}")
    assert len(line) < 700


def test_a_run_that_ends_is_tracked_whatever_came_of_it(tmp_path, capsys):
    kept = Kept()
    study = study_of(tmp_path, kept)
    report.deliver(replace(full(), status="infeasible"), study)
    with pytest.raises(RuntimeError, match="boom"), report.failures_in(study):
        raise RuntimeError("boom")
    assert [each.status for each in kept.told] == ["infeasible", "failed"]
    assert kept.told[0].name == tmp_path.name
    assert "result.json" in capsys.readouterr().out.replace("\n", "")
