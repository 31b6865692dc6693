"""``result.json``: one run's result, read back into a ``Result``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from codegen import durable
from tinyml_nas.types import Figure, Result

FILE = "result.json"
_FIGURE = {item.name for item in fields(Figure)}
_PERCENT = 100
# Of each unit: what its values are multiplied by, the sign of a positive one, and what follows.
_SHOWN = {
    "accuracy": (_PERCENT, "", "%"),
    "share": (_PERCENT, "", "%"),
    "accuracy_difference": (_PERCENT, "+", "points"),
}


def write_result(result: Result, folder: Path) -> Path:
    """Write ``folder/result.json``; returns its path."""
    path = folder / FILE
    durable.write(path, json.dumps(asdict(result), indent=2, allow_nan=False) + "\n")
    return path


def read_result(path: Path) -> Result:
    """Read what ``write_result`` wrote.

    Raises:
        ValueError: the file is not a result.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Result(**{**content, "overrides": tuple(content["overrides"])})
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path}: not a result ({error}); delete it and run the job again"
        ) from error


def results_in(sweep: Path) -> list[Path]:
    """The result files of a sweep's jobs, in the order of their numbers: 10 after 2."""
    return sorted(sweep.glob(f"*/{FILE}"), key=lambda path: (len(path.parent.name), path))


def flatten(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested metrics as pairs of dotted name and value, in order; a figure is one. Curves stay in the file."""
    for name, value in metrics.items():
        if isinstance(value, Mapping) and value.keys() == _FIGURE:
            yield f"{prefix}{name}", Figure(**value)
        elif isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        elif not isinstance(value, list | tuple):
            yield f"{prefix}{name}", value


def show(value: Any) -> str:
    """A metric for people: figures in their unit with their deviation, whole numbers with separators."""
    if value is None:
        return "-"
    if isinstance(value, Figure):
        factor, sign, unit = _SHOWN.get(value.unit, (1, "", value.unit))
        digits = 2 if factor == _PERCENT else 0
        spread = "" if value.deviation is None else f" ± {factor * value.deviation:.{digits}f}"
        return f"{factor * value.value:{sign},.{digits}f}{spread} {unit}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
