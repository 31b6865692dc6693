"""A run's folder is its own for as long as it runs."""

from __future__ import annotations

import os
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from codegen import durable
from tinyml_nas.config.errors import ConfigError, refuse

LOCK = ".lock"

_reserved: dict[Path, int] = {}
"""The descriptors that hold the locks: the system takes them back when this process ends, however."""


class Reserve(Callback):
    """Named in ``conf/hydra/callbacks/default.yaml``; before hydra writes its first file."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Reserve the run's folder; leave with exit status 2 if another process has it."""
        _reserve_or_leave(Path(config.hydra.run.dir))

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Reserve the folder of the whole sweep."""
        _reserve_or_leave(Path(config.hydra.sweep.dir))


def reserve(folder: Path) -> None:
    """Lock ``folder`` until this process ends.

    Raises:
        ConfigError: another process has it; names that.
        OSError: naming the file, as where the disk is full.
    """
    folder = folder.absolute()
    if folder in _reserved:
        return
    path = folder / LOCK
    with durable.naming(path):
        folder.mkdir(parents=True, exist_ok=True)
        path.touch()
        lock = durable.try_lock(path)
        if lock is None:
            holder = path.read_text(encoding="utf-8").strip() or "another process"
            raise ConfigError(
                f"name: {folder} is in use by {holder}; wait for its end, or give another name"
            )
        _reserved[folder] = lock
        started = datetime.now().astimezone().isoformat(" ", "seconds")
        path.write_text(
            f"process {os.getpid()} on {socket.gethostname()}, since {started}\n", encoding="utf-8"
        )


def reserved() -> Path | None:
    """The folder that this process reserved first: that of its run or sweep."""
    return next(iter(_reserved), None)


def _reserve_or_leave(folder: Path) -> None:
    # hydra turns a callback's exceptions into warnings, so this says why by itself and leaves.
    try:
        reserve(folder)
    except ConfigError as error:
        refuse(error)
    except OSError as error:
        raise SystemExit(f"error: {error}") from error
