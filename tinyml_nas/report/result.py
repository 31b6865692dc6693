"""``result.json``: one run's result, read back into a ``Result``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from codegen import durable
from tinyml_nas.types import Result

FILE = "result.json"


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
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Result(**{**fields, "overrides": tuple(fields["overrides"])})
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path}: not a result ({error}); delete it and run the job again"
        ) from error


def flatten(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested metrics as pairs of dotted name and value, in order. Curves stay in the file."""
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        elif not isinstance(value, list | tuple):
            yield f"{prefix}{name}", value


def show(name: str, value: Any) -> str:
    """A metric for people: accuracies in percent, whole numbers with separators.

    All fractions of a scenario's result are accuracies.
    """
    if value is None:
        return "-"
    if isinstance(value, float) and ("accuracy" in name or name.startswith("scenario.")):
        return f"{100 * value:.2f} %"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
