"""The command line: validate, build, run the task, write the result. See ``--help``.

Exit status: 0 all went well; 1 a run failed; 2 the command or its configuration is refused; 3 a network
does not fit its board or budget. A sweep runs all its jobs and ends with 1 if one failed, else with 3 if
one does not fit. ``codegen`` has the same.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from codegen import durable
from codegen.emit.folder import FolderError
from codegen.version import VERSION
from tinyml_nas import config
from tinyml_nas.commands import COMMANDS
from tinyml_nas.pipeline.delivery import check_project

DOES_NOT_FIT = 3

_statuses: set[str] = set()
"""What came of the jobs that this process ran to their end."""


@hydra.main(version_base="1.3", config_path=str(config.CONF), config_name="config")
def _job(cfg: DictConfig) -> None:
    """Run one job: the only one, or one of a sweep."""
    job = HydraConfig.get()
    try:
        study = config.build(cfg, Path(job.runtime.output_dir), tuple(job.overrides.task))
        config.check_tracking(study)
        check_project(study.output_dir / "project", overwrite=study.project.overwrite)
    except (config.ConfigError, FolderError) as error:
        config.refuse(error)

    # Imported now, when the configuration is known to be good: what they lead to is heavy.
    from tinyml_nas import report
    from tinyml_nas.pipeline import deploy

    with report.failures_in(study):
        result = deploy.run(study)
    report.deliver(result, study)
    _statuses.add(result.status)


def main() -> None:
    """Do what the command line asks for."""
    for stream in (sys.stdout, sys.stderr):  # Υ and box characters, on a terminal that has none
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        COMMANDS[sys.argv[1]](sys.argv[2:])
        return
    if "--version" in sys.argv[1:]:
        print(f"tinyml-nas {VERSION}")
        sys.exit()
    sys.argv[1:] = config.with_decimals(sys.argv[1:])
    folders = config.option_folders()
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(config.usage(folders), end="")
        sys.exit()
    # Threads that wait for work spin a little, then sleep. A training step on two cores took 220 to 250 ms idle and
    # 510 to 780 ms beside another program; spinning ten times as long 190 to 250 and 930 to 1,640 ms; sleeping
    # at once 250 to 350 and 430 to 580 ms (once, largest network of mbv3_mcu at 32x32, batch 128).
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # A supernet has thousands of shapes: the 1,024 kernels that oneDNN keeps would be made over and over.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16384")
    wants_traceback = os.environ.setdefault("HYDRA_FULL_ERROR", "0") == "1"
    # TensorFlow tells of oneDNN and of CUDA that it does not find; its errors are raised.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.raiseExceptions = False  # a log that cannot be written, as on a full disk, is no news
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hydra hands its errors on, to be told below
    try:
        config.check_groups(sys.argv[1:], config.GROUPS)
        config.register(folders)
        try:
            _job()
        finally:
            _end_of_sweep()
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on from here")
    except Exception as error:
        # What a job raised in another process has lost its traceback; what a job raised is no refusal.
        if config.is_refusal(error) and "failed" not in _statuses:
            config.refuse(error)
        if wants_traceback:
            raise
        if full := _full_disk(error):
            sys.exit(f"error: {full}")
        sys.exit(f"error: {error}\n(HYDRA_FULL_ERROR=1 shows where)")
    if "infeasible" in _statuses:
        sys.exit(DOES_NOT_FIT)


def _end_of_sweep() -> None:
    """Print what came of every job, also where some failed; learn what became of those in other processes."""
    from tinyml_nas.report.callback import sweep_of_this_process

    sweep = sweep_of_this_process()
    if sweep is None or not sweep.is_dir():
        return
    from tinyml_nas.report.summary import print_summary, rows_of

    print_summary(sweep)
    _statuses.update(row.result.status for row in rows_of(sweep))


def _full_disk(error: BaseException | None) -> OSError | None:
    """The error of a disk among the causes of ``error``; names the run's folder if it named none."""
    while error is not None and getattr(error, "errno", None) not in durable.OF_THE_DISK:
        error = error.__cause__ or error.__context__
    if isinstance(error, OSError) and error.filename is None:
        error.filename = str(config.reserved())
    return error if isinstance(error, OSError) else None


if __name__ == "__main__":
    main()
