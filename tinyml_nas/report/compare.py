"""Runs side by side: in what their configurations differ, and the figures that matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tinyml_nas.report.headline import rows
from tinyml_nas.report.result import FILE, read_result

CONFIG = Path(".hydra") / "config.yaml"
"""Where hydra leaves a run's configuration."""


class CompareError(Exception):
    """The runs cannot be compared; names the folder."""


def print_comparison(folders: Sequence[Path], console: Console | None = None) -> None:
    """Print the configurations' differences, then the figures, a column for each run.

    Raises:
        CompareError: a folder holds no result, or fewer than two are given.
    """
    if len(folders) < 2:
        raise CompareError("--compare: name two or more folders of runs, as outputs/a outputs/b")
    results = []
    for folder in folders:
        try:
            results.append(read_result(folder / FILE))
        except (OSError, ValueError) as error:
            raise CompareError(f"{folder}: no run's folder with a {FILE} ({error})") from error
    names = [folder.name for folder in folders]
    differing = differences([config_of(folder) for folder in folders])
    console = console or Console()
    figures = _aligned([dict(rows(result)) for result in results])
    sections = {"configuration, where it differs": differing} if differing else {}
    for title, lines in (sections | {"figures": figures}).items():
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("", *names):
            table.add_column(heading, overflow="fold")
        for key, cells in lines.items():
            table.add_row(key, *map(escape, cells))
        console.print(table)
    if not differing:
        console.print("the configurations are the same")


def config_of(folder: Path) -> dict[str, str]:
    """A run's configuration by dotted key, as text; empty where there is none."""
    path = folder / CONFIG
    if not path.is_file():
        return {}
    content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    return dict(_flat(content, ""))


def differences(configs: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Keys whose values are not the same in all ``configs``, with each value; a run's own name is none."""
    keys = dict.fromkeys(key for config in configs for key in config if key != "name")
    found = {key: tuple(config.get(key, "-") for config in configs) for key in keys}
    return {key: values for key, values in found.items() if len(set(values)) > 1}


def _aligned(columns: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    titles = dict.fromkeys(title for column in columns for title in column)
    return {title: tuple(column.get(title, "-") for column in columns) for title in titles}


def _flat(value: Any, prefix: str) -> list[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        return [
            pair
            for name, item in value.items()
            for pair in _flat(item, f"{prefix}.{name}" if prefix else str(name))
        ]
    return [(prefix, str(value))]
