"""No tracker at all."""

from __future__ import annotations

from tests.tinyml_nas.tracking.test_mlflow import RUN
from tinyml_nas.tracking.none import NoTracking


def test_nothing_is_needed_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    NoTracking().check()
    NoTracking().record(RUN)
    assert not list(tmp_path.iterdir())
