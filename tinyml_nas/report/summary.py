"""The results of a sweep side by side: ``summary.csv`` with everything, ``summary.md`` and the console to read."""

from __future__ import annotations

import csv
import io
import logging
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from codegen import durable
from tinyml_nas.report.headline import HEADLINES, figures_of
from tinyml_nas.report.result import flatten, read_result, results_in
from tinyml_nas.types import Figure, Result

WIDE = 180
"""Columns of a table that goes to a file."""
SHORTEST = 14
"""Columns up to which a setting is not folded."""

DULL = (
    "network",
    "accuracy, float",
    "accuracy, pruned",
    "after the change, unlearned",
    "baseline",
    "time",
)
"""Figures that have no column where they are the same for all jobs: a line says so."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """A job: what the command line said by key, and what came of it."""

    job: str
    overrides: dict[str, str]
    result: Result


def write_summary(sweep: Path) -> None:
    """Rewrite ``summary.csv`` and ``summary.md`` from the ``result.json`` of every finished job."""
    rows = rows_of(sweep)
    cells = [_all_cells(row) for row in rows]
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in cells for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    durable.write(sweep / "summary.csv", text.getvalue())

    titles, body, _ = table_of(rows)
    lines = [_line(titles), _line("---" for _ in titles), *map(_line, body)]
    durable.write(sweep / "summary.md", "\n".join(lines) + "\n")


def print_summary(sweep: Path, console: Console | None = None) -> None:
    """Print the table that ``summary.md`` holds, what is the same for all jobs, and what ran."""
    rows = rows_of(sweep)
    titles, body, same = table_of(rows)
    table = Table(title=str(sweep), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    # What is not a terminal has no width to keep.
    console = console or Console(width=None if sys.stdout.isatty() else WIDE)
    figures = {headline.heading for headline in HEADLINES} - {"came of it", "error"}
    for number, title in enumerate(titles):
        is_figure = title in figures
        longest = max((len(cells[number]) for cells in body), default=0)
        table.add_column(
            title,
            justify="right" if is_figure else "left",
            no_wrap=is_figure,
            min_width=None if is_figure else min(longest, SHORTEST),
            overflow="fold",
        )
    for cells in body:
        table.add_row(*map(escape, cells))
    console.print(table)
    for line in [*same, *_ran(rows)]:
        console.print(line, markup=False, highlight=False)


def rows_of(sweep: Path) -> list[Row]:
    """The finished jobs of a sweep, in the order of their numbers; a damaged result is a failed job."""
    rows = []
    for path in results_in(sweep):
        try:
            result = read_result(path)
        except ValueError as damage:
            _log.warning("%s", damage)
            result = Result("failed", {"error": str(damage)}, (), {})
        said = dict(text.partition("=")[::2] for text in result.overrides)
        rows.append(Row(path.parent.name, said, result))
    return rows


def table_of(rows: list[Row]) -> tuple[list[str], list[list[str]], list[str]]:
    """Titles; the cells of each row: what was varied, what came of it and what matters; and what all share."""
    varied = _telling([row.overrides for row in rows])
    found = [figures_of(row.result) for row in rows]
    columns: dict[str, list[str]] = {}
    same = []
    for headline in HEADLINES:
        cells = [headline.cell(figures) for figures in found]
        shown = ["-" if cell is None else cell for cell in cells]
        if all(cell is None for cell in cells):
            continue
        if len(rows) > 1 and len(set(shown)) == 1 and headline.title in DULL:
            same.append(f"{headline.heading} {shown[0]}")
        else:
            columns[headline.heading] = shown
    titles = ["job", *varied, *columns]
    body = [
        [
            row.job.removeprefix("job-"),
            *(row.overrides.get(key, "") for key in varied),
            *(cells[number] for cells in columns.values()),
        ]
        for number, row in enumerate(rows)
    ]
    return titles, body, [f"the same for all: {', '.join(same)}"] if same else []


def _ran(rows: list[Row]) -> list[str]:
    """What ran, how often, and what the store already had; then the jobs that failed, by name."""
    counts: dict[str, list[int]] = {}
    for row in rows:
        for stage in row.result.took.get("stages", ()):
            ran, stored = counts.setdefault(stage["stage"], [0, 0])
            is_new = stage["seconds"] is not None
            counts[stage["stage"]] = [ran + is_new, stored + (not is_new)]
    told = [f"{name} {ran} of {ran + stored}" for name, (ran, stored) in counts.items()]
    lines = [f"stages that ran, of those that jobs asked for: {', '.join(told)}"] if told else []
    return lines + [
        f"failed: {row.job} ({' '.join(_said(row))}): {row.result.metrics.get('error', '')}"
        for row in rows
        if row.result.status == "failed"
    ]


def _said(row: Row) -> list[str]:
    return [f"{key}={value}" if value else key for key, value in row.overrides.items()]


def _telling(columns: list[dict[str, str]]) -> list[str]:
    """Names whose values are not the same in all rows; all, where there is one row."""
    names = dict.fromkeys(name for column in columns for name in column)
    few = len(columns) < 2
    return [name for name in names if few or len({row.get(name) for row in columns}) > 1]


def _all_cells(row: Row) -> dict[str, Any]:
    """A row of ``summary.csv``: a figure takes several."""
    cells: dict[str, Any] = {
        "job": row.job,
        "overrides": " ".join(_said(row)),
        "status": row.result.status,
        "seconds": row.result.took.get("seconds"),
    }
    for name, value in flatten(row.result.metrics):
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
