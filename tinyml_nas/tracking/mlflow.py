"""Runs on an MLflow server."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tinyml_nas.tracking.base import Tracked, require

MOST_PARAMETERS, MOST_METRICS = 100, 1000
"""How many MLflow takes in one request."""
LONGEST_VALUE, LONGEST_NAME = 6000, 250


@dataclass(frozen=True)
class MLflow:
    """Records the configuration as parameters, every figure as a metric, and the files as artifacts.

    Who may write is up to MLflow's own environment variables (``MLFLOW_TRACKING_TOKEN`` and others).

    Args:
        uri: Address of the server.
        experiment: Name under which runs are kept; it is made where there is none.
    """

    uri: str
    experiment: str = "tinyml-nas"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z+]*://\S+", self.uri):
            raise ValueError(
                f"tracking.uri: must be an address as http://127.0.0.1:5000; got {self.uri!r}"
            )
        if not self.experiment or len(self.experiment) > LONGEST_NAME:
            raise ValueError(
                f"tracking.experiment: must be a name of 1 to {LONGEST_NAME} letters; got {self.experiment!r}"
            )

    def check(self) -> None:
        """Refuse to work without MLflow's client."""
        require("mlflow", "mlflow")

    def record(self, run: Tracked) -> None:
        """Record a run; a server that does not answer is asked twice, for 20 seconds at most each time."""
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        # Of a server that is down its error tells.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param

        client = MlflowClient(self.uri)
        tags = {"tinyml_nas.status": run.status}
        started = client.create_run(self._experiment(client), run_name=run.name, tags=tags)
        number, now = started.info.run_id, int(1000 * time.time())
        ended = "FAILED"
        try:
            parameters = [
                Param(_name(key), value[:LONGEST_VALUE]) for key, value in run.parameters.items()
            ]
            metrics = [Metric(_name(key), value, now, 0) for key, value in run.figures.items()]
            metrics += [
                Metric(_name(key), value, now, step)
                for key, values in run.curves.items()
                for step, value in enumerate(values, 1)
            ]
            for some in _parts(parameters, MOST_PARAMETERS):
                client.log_batch(number, params=some)
            for some in _parts(metrics, MOST_METRICS):
                client.log_batch(number, metrics=some)
            for path in run.files:
                if path.is_dir():
                    client.log_artifacts(number, str(path), path.name)
                else:
                    client.log_artifact(number, str(path))
            ended = "FAILED" if run.status == "failed" else "FINISHED"
        finally:
            client.set_terminated(number, ended)

    def _experiment(self, client: Any) -> str:
        """The number of the experiment, which a job beside this one may be making."""
        from mlflow.exceptions import MlflowException

        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            try:
                return str(client.create_experiment(self.experiment))
            except MlflowException:
                found = client.get_experiment_by_name(self.experiment)
                if found is None:
                    raise
        return str(found.experiment_id)


def _name(key: str) -> str:
    """A dotted key in the letters that MLflow allows."""
    return re.sub(r"[^\w\-. :/]", "_", key, flags=re.ASCII)[:LONGEST_NAME]


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
