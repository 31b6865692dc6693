"""Keeps the summary and the page of a sweep up to date: rewritten after each job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

_sweeps: list[Path] = []


class SummaryCallback(Callback):
    """Named in ``conf/hydra/callbacks/default.yaml``.

    The summary is written ``on_job_end``, by whichever process ran the job. hydra skips ``on_multirun_end``
    where a job failed, so that the command line itself prints it at the end.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Remember which sweep this process runs."""
        _sweeps.append(Path(config.hydra.sweep.dir))

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Rewrite the summary of the sweep that the job belongs to."""
        if config.hydra.mode is not RunMode.MULTIRUN:
            return
        from tinyml_nas.report.page import write_sweep_page
        from tinyml_nas.report.summary import write_summary

        sweep = Path(config.hydra.sweep.dir)
        write_summary(sweep)
        write_sweep_page(sweep)


def sweep_of_this_process() -> Path | None:
    """The folder of the sweep that this process started, if it did: its jobs may have run in others."""
    return _sweeps[-1] if _sweeps else None
