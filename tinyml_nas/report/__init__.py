"""What a run leaves for its reader: ``result.json``, a table, and the summary of a sweep."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress

from codegen import durable
from tinyml_nas.cards.network import card
from tinyml_nas.report.page import write_page
from tinyml_nas.report.result import write_result
from tinyml_nas.report.table import print_result
from tinyml_nas.report.track import track
from tinyml_nas.study import Study
from tinyml_nas.types import Result


def deliver(result: Result, study: Study) -> None:
    """Write the run's ``result.json``, its page, and the card of a network that was trained; print and track it."""
    folder = study.output_dir
    path = write_result(result, folder)
    if result.status == "ok" and "training" in result.metrics:
        durable.write(folder / "network" / "card.md", card(folder.name, result))
    page = write_page(folder)
    print_result(result, path)
    print(f"to look at: {page}")  # noqa: T201  # a command line prints
    track(study, result)


@contextmanager
def failures_in(study: Study) -> Generator[None, None, None]:
    """Leave a ``result.json`` with the status ``failed`` where the study raises, and track it; raise on."""
    try:
        yield
    except Exception as error:
        metrics = {"error": f"{type(error).__name__}: {error}"}
        result = Result("failed", metrics, study.overrides, {})
        with suppress(OSError):  # of a disk that is full ``error`` tells already
            write_result(result, study.output_dir)
        track(study, result)
        raise
