"""One result on the console."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tinyml_nas.report.result import flatten, show
from tinyml_nas.types import Result

_STYLE = {"ok": "green", "infeasible": "yellow", "failed": "red"}


def print_result(result: Result, path: Path, console: Console | None = None) -> None:
    """Print every metric, a section for each top-level name; ``path`` is where the result lies."""
    table = Table(show_header=False, title=" ".join(result.overrides) or "defaults")
    table.add_column(overflow="fold")
    table.add_column(justify="right", overflow="fold")
    table.add_row("status", f"[{_STYLE[result.status]}]{result.status}[/]", end_section=True)
    for section, values in result.metrics.items():
        rows = [row for row in flatten({section: values}) if not _is_detail(*row)]
        for name, value in rows:
            table.add_row(name, show(value), end_section=name == rows[-1][0])
    console = console or Console()
    console.print(table)
    console.print(f"written to {path}", soft_wrap=True)
    project = path.parent / "project"
    if result.status == "ok" and project.is_dir():
        source, build = (shlex.quote(str(place)) for place in (project, project / "build"))
        steps = (
            f"cmake -S {source} -B {build}",
            f"cmake --build {build}",
            f"ctest --test-dir {build}",
        )
        told = f"the project builds and tests itself on this machine with\n  {' && '.join(steps)}"
        console.print(told, soft_wrap=True, highlight=False, markup=False)


def _is_detail(name: str, value: object) -> bool:
    """What the file keeps and the table leaves out: parts of sums, settings, the course of training."""
    is_setting = (
        name.startswith("scenario.") and type(value) is int and ".missing_bytes." not in name
    )
    is_course = name.startswith("training.") and not name.endswith(".steps")
    return "_parts." in name or is_course or is_setting
