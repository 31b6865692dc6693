"""Keeps the summary of a sweep up to date: rewritten after each job, printed at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig


class SummaryCallback(Callback):
    """Named in ``conf/hydra/callbacks/default.yaml``.

    hydra skips ``on_multirun_end`` where a job failed, so the summary is written ``on_job_end``,
    by whichever process ran the job.
    """

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Rewrite the summary of the sweep that the job belongs to."""
        if config.hydra.mode is not RunMode.MULTIRUN:
            return
        from tinyml_nas.report.page import write_sweep_page
        from tinyml_nas.report.summary import write_summary

        sweep = Path(config.hydra.sweep.dir)
        write_summary(sweep)
        write_sweep_page(sweep)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the summary."""
        from tinyml_nas.report.summary import print_summary

        print_summary(Path(config.hydra.sweep.dir))
