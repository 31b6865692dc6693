"""Hands a run that has ended to the tracker of its study, which may fail: the run does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tinyml_nas.report.compare import config_of
from tinyml_nas.report.page import PAGE
from tinyml_nas.report.result import FILE, flatten
from tinyml_nas.study import Study
from tinyml_nas.tracking.base import Tracked
from tinyml_nas.types import Figure, Result

KEPT = (PAGE, FILE, "project")
LONGEST_REASON = 300


def track(study: Study, result: Result) -> None:
    """Record the run; where that fails, one line says so, and nothing else happens."""
    try:
        study.tracking.record(tracked(study.output_dir, result))
    except Exception as error:  # noqa: BLE001  # whatever a server, its client or a disk may raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST_REASON]
        sys.stderr.write(
            f"warning: tracking: {type(study.tracking).__name__} did not record this run ({reason}); its figures "
            f"are in {study.output_dir / FILE}\n"
        )


def tracked(folder: Path, result: Result) -> Tracked:
    """A run by its folder and its result."""
    folder = folder.absolute()
    figures = {
        name: float(value.value if isinstance(value, Figure) else value)
        for name, value in flatten(result.metrics)
        if isinstance(value, Figure | int | float) and not isinstance(value, bool)
    }
    if "seconds" in result.took:
        figures["seconds"] = float(result.took["seconds"])
    # Addresses of servers may hold passwords.
    chosen = {
        key: value for key, value in config_of(folder).items() if not key.startswith("tracking.")
    }
    is_job = folder.name.startswith("job-")
    return Tracked(
        name="/".join(folder.parts[-2:]) if is_job else folder.name,
        status=result.status,
        parameters=chosen,
        figures=figures,
        curves=dict(_curves(result.metrics)),
        files=tuple(folder / name for name in KEPT if (folder / name).exists()),
    )


def _curves(metrics: Mapping[str, Any]) -> Iterator[tuple[str, list[float]]]:
    """Accuracies after each sample, of each learner and probe."""
    scenario = metrics.get("scenario", {})
    for role in ("learner", "baseline"):
        for probe, points in scenario.get(role, {}).get("curves", {}).items():
            yield f"scenario.{role}.curve.{probe}", list(points)
