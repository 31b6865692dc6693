"""Runs on a real MLflow server, and what becomes of a run where there is none."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from tinyml_nas.tracking.base import Tracked
from tinyml_nas.tracking.mlflow import MLflow

needs_client = pytest.mark.skipif(
    find_spec("mlflow") is None, reason="not installed: the extra [mlflow]"
)
needs_server = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("mlflow", "flask", "sqlalchemy", "pandas")),
    reason="not installed: mlflow, with its server",
)
RUN = Tracked(
    name="sweep/job-3",
    status="ok",
    parameters={f"group.key_{number}": "x" * number for number in range(250)} | {"empty": ""},
    figures={"test_accuracy.deployed": 0.875, "search.failures.Error: 3 <x>": 2.0},
    curves={"scenario.learner.curve.all": [number / 2000 for number in range(1200)]},
    files=(),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Address of a server of its own, on this machine."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
    command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{folder / 'runs.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with (folder / "log").open("wb") as log, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    address, patience = f"http://127.0.0.1:{port}", time.monotonic() + 300
    try:
        while not answers(address):
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < patience
            time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@needs_server
@pytest.mark.filterwarnings("default")  # of MLflow's own code
def test_configuration_figures_curves_and_files_are_on_the_server(server, tmp_path):
    from mlflow import MlflowClient

    page, project = tmp_path / "report.html", tmp_path / "project"
    page.write_text("<p>page")
    (project / "src").mkdir(parents=True)
    (project / "src" / "model.hpp").write_text("// model")
    run = Tracked(**{**vars(RUN), "files": (page, project)})
    tracker = MLflow(server, "study")
    tracker.check()
    tracker.record(run)
    tracker.record(Tracked(**{**vars(RUN), "name": "other", "status": "failed", "curves": {}}))

    client = MlflowClient(server)
    experiment = client.get_experiment_by_name("study")
    runs = {each.info.run_name: each for each in client.search_runs([experiment.experiment_id])}
    assert runs.keys() == {"sweep/job-3", "other"}
    found = runs["sweep/job-3"]
    assert found.info.status == "FINISHED"
    assert found.data.tags["tinyml_nas.status"] == "ok"
    assert found.data.params == dict(RUN.parameters)
    assert found.data.metrics["test_accuracy.deployed"] == 0.875
    assert found.data.metrics["search.failures.Error: 3 _x_"] == 2
    curve = client.get_metric_history(found.info.run_id, "scenario.learner.curve.all")
    assert sorted((point.step, point.value) for point in curve) == [
        (step + 1, value) for step, value in enumerate(RUN.curves["scenario.learner.curve.all"])
    ]
    names = {item.path for item in client.list_artifacts(found.info.run_id)}
    assert names == {"report.html", "project"}
    fetched = client.download_artifacts(found.info.run_id, "project", str(tmp_path))
    assert (Path(fetched) / "src" / "model.hpp").read_text() == "// model"
    assert runs["other"].info.status == "FAILED"


@needs_client
@pytest.mark.filterwarnings("default")
def test_a_server_that_is_not_there_raises_soon_and_says_nothing_else(caplog):
    started = time.monotonic()
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        MLflow(f"http://127.0.0.1:{free_port()}").record(RUN)
    assert time.monotonic() - started < 120
    assert not [record for record in caplog.records if "Retrying" in record.getMessage()]


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"uri": "127.0.0.1"}, "uri"), ({"uri": ""}, "uri"), ({"experiment": ""}, "experiment")],
)
def test_what_is_no_address_or_name_is_refused(settings, key):
    with pytest.raises(ValueError, match=rf"^tracking\.{key}: must be"):
        MLflow(**{"uri": "http://127.0.0.1:5000", **settings})
