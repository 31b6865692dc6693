"""One result on the console: the dozen figures that matter."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tinyml_nas.report.headline import rows
from tinyml_nas.types import Result

_STYLE = {"ok": "green", "infeasible": "yellow", "failed": "red"}


def print_result(result: Result, path: Path, console: Console | None = None) -> None:
    """Print what people decide by, and where the rest is: ``path`` is where the result lies."""
    title = escape(" ".join(result.overrides)) or "defaults"
    table = Table(show_header=False, title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("status", f"[{_STYLE[result.status]}]{result.status}[/]")
    for name, text in rows(result):
        table.add_row(name, escape(text))
    console = console or Console()
    console.print(table)
    say = partial(console.print, soft_wrap=True, highlight=False, markup=False)
    say(f"all figures: {path}")
    project = path.parent / "project"
    if result.status == "ok" and project.is_dir():
        source, build = (shlex.quote(str(place)) for place in (project, project / "build"))
        steps = (
            f"cmake -S {source} -B {build}",
            f"cmake --build {build}",
            f"ctest --test-dir {build}",
        )
        told = f"the project builds and tests itself on this machine with\n  {' && '.join(steps)}"
        say(told)
