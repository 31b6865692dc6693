"""Checks every job of a sweep before the first one starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict

from tinyml_nas.config.build import build, check_tracking
from tinyml_nas.config.errors import is_refusal, refuse


class CheckSweep(Callback):
    """Named in ``conf/hydra/callbacks/default.yaml``.

    hydra composes all jobs of a sweep before it starts the first, but builds none: without this a
    ratio out of range would be refused when the jobs before it are done.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Build the study of every job; leave with exit status 2 if one is refused."""
        # hydra turns a callback's exceptions into warnings, so this says why by itself and leaves.
        try:
            for job in _jobs(config):
                check_tracking(build(job, output_dir=Path()))
        except Exception as error:
            if not is_refusal(error):
                raise
            refuse(error)


def _jobs(config: DictConfig) -> list[DictConfig]:
    """The configuration of every job, as hydra's own sweeper divides them."""
    loader = GlobalHydra.instance().config_loader()
    parameters = config.hydra.sweeper.get("params") or {}
    texts = [f"{key}={value}" for key, value in parameters.items()]
    overrides = OverridesParser.create(loader).parse_overrides(
        [*texts, *config.hydra.overrides.task]
    )
    jobs = []
    for batch in BasicSweeper.split_arguments(overrides, max_batch_size=None):
        for job in batch:
            composed = loader.load_sweep_config(config, job)
            with open_dict(composed):
                del composed["hydra"]
            jobs.append(composed)
    return jobs
