"""A sweep whose jobs run in other processes ends as one in this process does."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = {
    "joblib": "hydra_plugins.hydra_joblib_launcher",
    "ray": "hydra_plugins.hydra_ray_launcher",
    "submitit_local": "hydra_plugins.hydra_submitit_launcher",
}


def is_installed(plugin: str) -> bool:
    try:
        return find_spec(plugin) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("launcher", PLUGINS)
def test_a_sweep_of_a_launcher_tells_of_every_job_and_ends_with_its_status(launcher, tmp_path):
    if not is_installed(PLUGINS[launcher]):
        pytest.skip(f"not installed: the extra [{launcher.partition('_')[0]}]")
    # No network of the space fits: the jobs end before any stage.
    command = [
        *(sys.executable, "run.py", "-m", f"hydra/launcher={launcher}", "scenario=none"),
        *("seed=0,1", "pruning=none", "memory.budget_bytes=20000"),
        *(f"store={tmp_path / 'store'}", f"hydra.sweep.dir={tmp_path / 'sweep'}"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr[-2000:]
    with (tmp_path / "sweep" / "summary.csv").open() as stream:
        assert [row["status"] for row in csv.DictReader(stream)] == ["infeasible"] * 2
    for seed in range(2):
        result = json.loads((tmp_path / "sweep" / f"job-{seed}" / "result.json").read_text())
        assert result["provenance"]["seed"] == seed
    assert (tmp_path / "sweep" / "report.html").is_file()
    assert "does not fit: budget (thesis)" in done.stdout
