"""``report.html``: a run or a sweep to look at. One file, opened by a double-click, that asks no network."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from codegen import durable
from tinyml_nas.report.compare import config_of
from tinyml_nas.report.headline import rows
from tinyml_nas.report.page import charts
from tinyml_nas.report.page.library import LIBRARY, packed_library
from tinyml_nas.report.page.template import rendered
from tinyml_nas.report.result import FILE, read_result
from tinyml_nas.report.summary import rows_of, table_of
from tinyml_nas.types import Result

PAGE = "report.html"
PICTURES = "pictures.json"

_log = logging.getLogger(__name__)


def write_page(folder: Path) -> Path:
    """Write the page of the run whose ``result.json`` lies in ``folder``; returns its path."""
    result = read_result(folder / FILE)
    return _write(folder, run_content(result, folder.absolute()))


def write_sweep_page(sweep: Path) -> Path | None:
    """Write the page of a sweep beside its summary; None where no job has ended yet."""
    jobs = rows_of(sweep)
    if not jobs:
        return None
    titles, body, same = table_of(jobs)
    results = {row.job: row.result for row in jobs}
    links = [f"{row.job}/{PAGE}" if (sweep / row.job / PAGE).is_file() else None for row in jobs]
    content = {
        "title": sweep.absolute().name,
        "subtitle": f"a sweep of {len(jobs)} jobs",
        "status": "ok" if all(row.result.status == "ok" for row in jobs) else "not all went well",
        "jobs": {"titles": titles, "rows": list(zip(links, body, strict=True)), "same": same},
        "charts": charts.of_sweep(results),
        "data": {"runs": {row.job: config_of(sweep / row.job) for row in jobs}},
    }
    return _write(sweep, content)


def run_content(result: Result, folder: Path) -> dict[str, Any]:
    """What the page of a run shows, in the order of the page."""
    pictures = folder / PICTURES
    has_pictures = "confusion" in result.metrics and pictures.is_file()
    return {
        "title": folder.name,
        "subtitle": " ".join(result.overrides) or "all defaults",
        "status": result.status,
        "headline": rows(result),
        "charts": charts.of_run(result),
        "pictures": json.loads(pictures.read_text(encoding="utf-8")) if has_pictures else [],
        "classes": result.metrics.get("confusion", {}).get("classes", []),
        "rivals": result.metrics.get("search", {}).get("rivals", []),
        "candidates": result.metrics.get("learner", {}).get("candidates", {}),
        "provenance": _provenance(result),
        "data": {"runs": {folder.name: config_of(folder)}},
    }


def _provenance(result: Result) -> dict[str, Any]:
    """Which stages made the result, from what, in which time."""
    seconds = [stage["seconds"] for stage in result.took.get("stages", ())]
    stages = result.provenance.get("stages", ())
    if len(seconds) != len(stages):
        seconds = [None] * len(stages)
    return {
        "facts": {
            key: value
            for key, value in result.provenance.items()
            if isinstance(value, str | int) and value != ""
        },
        "stages": [
            {**stage, "seconds": spent} for stage, spent in zip(stages, seconds, strict=True)
        ],
        "versions": dict(
            sorted(pair for stage in stages for pair in stage.get("versions", {}).items())
        ),
    }


def _write(folder: Path, content: dict[str, Any]) -> Path:
    packed = packed_library()
    if packed is None:
        _log.warning("%s: without charts, as %s is not installed", folder / PAGE, LIBRARY)
    path = folder / PAGE
    durable.write(path, rendered({**content, "library": packed, "library_name": LIBRARY}))
    return path
