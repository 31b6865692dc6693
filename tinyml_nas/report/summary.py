"""The results of a sweep side by side: ``summary.csv`` with everything, ``summary.md`` to read."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from codegen import durable
from tinyml_nas.report.result import FILE, flatten, read_result, show
from tinyml_nas.types import Figure, Result

MATTERS = {
    r"scenario\.learner\.(end|before|lowest)": r"\1",
    r"scenario\.learner\.(new|old)_end": r"\1, end",
    r"scenario\.learner\.recovered_after": "recovered after",
    r"scenario\.difference\.all_(end)": r"\1 - baseline's",
    r"test_accuracy\.(\w+)": r"\1",
    r"learner\.(chosen)": r"\1",
    r"omega\.buffer_samples": "N_B",
    r"program\.(flash|ram)_bytes": r"\1, bytes",
    r"memory\.(\w+)\.missing_bytes\.(\w+)": r"\2 missing (\1)",
    "error": "error",
}
"""Figures by which jobs are told apart, in this order, and their titles; ``summary.csv`` has all others too."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """A job: what the command line said by key, and what came of it by dotted name."""

    job: str
    overrides: dict[str, str]
    status: str
    figures: dict[str, Any]


def write_summary(sweep: Path) -> None:
    """Rewrite ``summary.csv`` and ``summary.md`` from the ``result.json`` of every finished job."""
    rows = _rows(sweep)
    cells = [_all_cells(row) for row in rows]
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in cells for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    durable.write(sweep / "summary.csv", text.getvalue())

    titles, body = _table(rows)
    lines = [_line(titles), _line("---" for _ in titles), *map(_line, body)]
    durable.write(sweep / "summary.md", "\n".join(lines) + "\n")


def print_summary(sweep: Path, console: Console | None = None) -> None:
    """Print the table that ``summary.md`` holds, a row for each job."""
    titles, body = _table(_rows(sweep))
    table = Table(title=str(sweep))
    for title in titles:
        table.add_column(title, overflow="fold")
    for cells in body:
        table.add_row(*cells)
    (console or Console()).print(table)


def _rows(sweep: Path) -> list[Row]:
    paths = sorted(sweep.glob(f"*/{FILE}"), key=lambda path: (len(path.parent.name), path))
    rows = []
    for path in paths:
        try:
            result = read_result(path)
        except ValueError as damage:
            _log.warning("%s", damage)
            result = Result("failed", {"error": str(damage)}, (), {})
        said = dict(text.partition("=")[::2] for text in result.overrides)
        figures = dict(flatten(result.metrics))
        rows.append(Row(path.parent.name, said, result.status, figures))
    return rows


def _table(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Titles, and the cells of each row: what was varied, and what matters and is not the same for all."""
    varied = _telling([row.overrides for row in rows])
    telling = _telling([row.figures for row in rows])
    matter = {
        name: re.sub(pattern, title, name)
        for pattern, title in MATTERS.items()
        for name in telling
        if re.fullmatch(pattern, name)
    }
    titles = ["job", *varied, "status", *matter.values()]
    body = [
        [
            row.job.removeprefix("job-"),
            *(row.overrides.get(key, "") for key in varied),
            row.status,
            *(show(row.figures.get(name)) for name in matter),
        ]
        for row in rows
    ]
    return titles, body


def _telling(columns: list[dict[str, Any]]) -> list[str]:
    """Names whose values are not the same in all rows; all, where there is one row."""
    names = dict.fromkeys(name for column in columns for name in column)
    few = len(columns) < 2
    return [name for name in names if few or len({str(row.get(name)) for row in columns}) > 1]


def _all_cells(row: Row) -> dict[str, Any]:
    """A row of ``summary.csv``: a figure takes several."""
    said = " ".join(f"{key}={value}" if value else key for key, value in row.overrides.items())
    cells: dict[str, Any] = {"job": row.job, "overrides": said, "status": row.status}
    for name, value in row.figures.items():
        if isinstance(value, Figure):
            low, high = value.interval or (None, None)
            more = {"unit": value.unit, "n": value.n, "deviation": value.deviation}
            more |= {"low": low, "high": high}
            cells |= {name: value.value, **{f"{name}.{key}": item for key, item in more.items()}}
        else:
            cells[name] = value
    return cells


def _line(cells: Iterable[str]) -> str:
    """A row of a table in Markdown, whatever the user's overrides are made of."""
    shown = (" ".join(re.sub(r"([\\|])", r"\\\1", cell).split()) for cell in cells)
    return "| " + " | ".join(shown) + " |"
