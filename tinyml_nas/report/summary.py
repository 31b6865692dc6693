"""The results of a sweep side by side: ``summary.csv`` with everything, ``summary.md`` to read."""

from __future__ import annotations

import csv
import io
import logging
import re
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from codegen import durable
from tinyml_nas.report.result import FILE, flatten, read_result, show
from tinyml_nas.types import Result

_log = logging.getLogger(__name__)


def write_summary(sweep: Path) -> None:
    """Rewrite ``summary.csv`` and ``summary.md`` from the ``result.json`` of every finished job."""
    rows = _rows(sweep)
    names = _names(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    durable.write(sweep / "summary.csv", text.getvalue())

    # A table to read leaves out what is the same in every row.
    telling = _telling(rows, names)
    lines = [_line(telling), _line("---" for _ in telling)]
    lines += [_line(show(name, row.get(name)) for name in telling) for row in rows]
    durable.write(sweep / "summary.md", "\n".join(lines) + "\n")


def print_summary(sweep: Path, console: Console | None = None) -> None:
    """Print the table that ``summary.md`` holds, one column for each job."""
    rows = _rows(sweep)
    table = Table(title=str(sweep))
    table.add_column("")
    for row in rows:
        table.add_column(row["job"], justify="right")
    for name in _telling(rows, _names(rows)):
        if name != "job":
            table.add_row(name, *(show(name, row.get(name)) for row in rows))
    (console or Console()).print(table)


def _rows(sweep: Path) -> list[dict[str, Any]]:
    paths = sorted(sweep.glob(f"*/{FILE}"), key=lambda path: (len(path.parent.name), path))
    rows = []
    for path in paths:
        try:
            result = read_result(path)
        except ValueError as damage:
            _log.warning("%s", damage)
            result = Result("failed", {"error": str(damage)}, (), {})
        row = {"job": path.parent.name, "overrides": " ".join(result.overrides)}
        rows.append({**row, "status": result.status, **dict(flatten(result.metrics))})
    return rows


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _telling(rows: list[dict[str, Any]], names: list[str]) -> list[str]:
    always = {"job", "overrides", "status"}
    return [
        name
        for name in names
        if name in always or len(rows) < 2 or len({str(row.get(name)) for row in rows}) > 1
    ]


def _line(cells: Any) -> str:
    """A row of a table in Markdown, whatever the user's overrides are made of."""
    shown = (" ".join(re.sub(r"([\\|])", r"\\\1", cell).split()) for cell in cells)
    return "| " + " | ".join(shown) + " |"
