"""Event files, read back by TensorBoard's own reader."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tinyml_nas.tracking.base import Tracked, require
from tinyml_nas.tracking.tensorboard import TensorBoard

pytest.importorskip("tensorboard", reason="not installed: the extra [tensorboard]")

RUN = Tracked(
    name="sweep/job-3",
    status="ok",
    parameters={"pruning.keep_ratio": "0.33", "learner._target_": "x.Tybox"},
    figures={"test_accuracy.deployed": 0.875, "memory.mcu.flash_bytes": 275013.0},
    curves={"scenario.learner.curve.all": [0.5, 0.75, 0.875]},
    files=(Path("/runs/sweep/job-3/report.html"),),
)


def events(folder: Path):
    """Every event of the one file of a run."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.tensorflow_stub.errors import OutOfRangeError
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

    (path,) = folder.iterdir()
    reader = PyRecordReader_New(str(path))
    found = []
    while True:
        try:
            reader.GetNext()
        except OutOfRangeError:
            return found
        found.append(Event.FromString(reader.record()))


def test_figures_curves_configuration_and_files_are_read_back(tmp_path):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    TensorBoard(tmp_path).record(RUN)
    TensorBoard(tmp_path).record(RUN)  # of the same name: in its place
    first, *rest = events(tmp_path / "sweep" / "job-3")
    assert first.file_version == "brain.Event:2"
    values = [(event.step, value) for event in rest for value in event.summary.value]
    scalars = [
        (value.tag, step, value.simple_value)
        for step, value in values
        if value.WhichOneof("value") == "simple_value"
    ]
    assert scalars == [
        ("test_accuracy.deployed", 0, 0.875),
        ("memory.mcu.flash_bytes", 0, 275013.0),
        *(("scenario.learner.curve.all", step + 1, y) for step, y in enumerate([0.5, 0.75, 0.875])),
    ]
    tagged = {value.tag: value for _, value in values}
    content = tagged["_hparams_/session_start_info"].metadata.plugin_data.content
    session = HParamsPluginData.FromString(content).session_start_info
    chosen = {key: value.string_value for key, value in session.hparams.items()}
    assert chosen == dict(RUN.parameters)
    (text,) = tagged["files"].tensor.string_val
    assert text.decode() == "status: ok\n\n/runs/sweep/job-3/report.html"
    assert tagged["files"].metadata.plugin_data.plugin_name == "text"


def test_what_is_not_installed_is_named_with_its_extra(monkeypatch):
    with pytest.raises(ValueError, match=r"^tracking: nowhere is not installed; .*'\.\[some\]'"):
        require("nowhere", "some")
    TensorBoard().check()
    monkeypatch.setattr("tinyml_nas.tracking.base.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"tensorboard is not installed; .*\[tensorboard\]"):
        TensorBoard().check()


def test_tensorflow_is_not_loaded_by_writing(tmp_path):
    loaded = "tensorflow" in sys.modules
    TensorBoard(tmp_path).record(RUN)
    assert ("tensorflow" in sys.modules) == loaded
