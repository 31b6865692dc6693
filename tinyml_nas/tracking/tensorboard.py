"""Runs as event files, which TensorBoard shows side by side."""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen import durable
from tinyml_nas.tracking.base import Tracked, require

VERSION = "brain.Event:2"
"""What the first event of every file says."""


@dataclass(frozen=True)
class TensorBoard:
    """Writes the configuration as hyperparameters, every figure and curve as scalars, and where the files lie as a text.

    ``tensorboard --logdir`` with this folder shows all runs. TensorFlow is not loaded.

    Args:
        folder: Of all runs; each has a folder of its name in it.
    """

    folder: Path = Path("outputs/tensorboard")

    def check(self) -> None:
        """Refuse to work without TensorBoard."""
        require("tensorboard", "tensorboard")

    def record(self, run: Tracked) -> None:
        """Write the run's event file; what an earlier run of the name left goes."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        place = self.folder / run.name
        place.mkdir(parents=True, exist_ok=True)
        earlier = list(place.glob("events.out.tfevents.*"))
        now = time.time()
        name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}"
        events = io.BytesIO()
        writer = RecordWriter(events)
        writer.write(Event(wall_time=now, file_version=VERSION).SerializeToString())
        for step, summary in _summaries(run):
            event = Event(wall_time=now, step=step, summary=summary)
            writer.write(event.SerializeToString())
        durable.write(place / name, events.getvalue())
        for path in earlier:
            path.unlink()


def _summaries(run: Tracked) -> Iterator[tuple[int, Any]]:
    """Every summary of a run, with its step."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.plugins.text.metadata import create_summary_metadata

    yield 0, hparams_pb(dict(run.parameters), trial_id=run.name)
    for name, value in run.figures.items():
        yield 0, Summary(value=[Summary.Value(tag=name, simple_value=value)])
    for name, values in run.curves.items():
        for step, value in enumerate(values, 1):
            yield step, Summary(value=[Summary.Value(tag=name, simple_value=value)])
    lines = [f"status: {run.status}", *(str(path.absolute()) for path in run.files)]
    text = TensorProto(dtype=DT_STRING, string_val=["\n\n".join(lines).encode()])
    shown = create_summary_metadata(display_name="", description="")
    yield 0, Summary(value=[Summary.Value(tag="files", metadata=shown, tensor=text)])
