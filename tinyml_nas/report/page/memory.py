"""Where the bytes are: each memory part by part, and the arena over the operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tinyml_nas.report.page.palette import FREE, colour

SHOWN = {"flash": "flash", "ram": "RAM"}


def parts(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """A stacked bar for each memory, as shares of what there is; what is free comes last."""
    bars = list(_bars(metrics.get("memory", {})))
    names = [name for name, _, _ in bars]
    used = dict.fromkeys(part for _, found, _ in bars for part in found)
    traces = [
        _layer(part.replace("_", " "), names, [found.get(part) for _, found, _ in bars], bars, tint)
        for tint, part in ((colour(number), part) for number, part in enumerate(used))
    ]
    if bars:
        free = [max(0, limit - sum(found.values())) for _, found, limit in bars]
        traces.append(_layer("free", names, free, bars, FREE))
    return {
        "data": traces,
        "layout": {
            "barmode": "stack",
            "xaxis": {"tickformat": ".0%"},
            "legend": {"orientation": "h", "y": -0.14, "traceorder": "normal"},
            "yaxis": {"autorange": "reversed"},
            "shapes": [_limit()],
        },
    }


def _bars(memory: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, int], int]]:
    """Each memory that has a limit: its name, its parts and the limit, in bytes."""
    for model, counted in memory.items():
        for name, shown in SHOWN.items():
            limit = counted.get(f"{name}_limit_bytes")
            found = counted.get(f"{name}_parts")
            if limit and found:
                label = shown if model == "mcu" else f"budget ({model})"
                yield label, dict(found), limit


def _layer(
    part: str,
    names: list[str],
    sizes: Sequence[int | None],
    bars: list[tuple[str, dict[str, int], int]],
    tint: str,
) -> dict[str, Any]:
    limits = [limit for _, _, limit in bars]
    return {
        "type": "bar",
        "orientation": "h",
        "name": part,
        "y": names,
        "x": [
            None if size is None else size / limit
            for size, limit in zip(sizes, limits, strict=True)
        ],
        "customdata": sizes,
        "marker": {"color": tint},
        "hovertemplate": "%{y}: " + part + "<br>%{customdata:,} B (%{x:.1%})<extra></extra>",
    }


def _limit() -> dict[str, Any]:
    return {
        "type": "line",
        "x0": 1,
        "x1": 1,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": colour(5), "width": 2, "dash": "dash"},
    }


def arena(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Blocks of activations by the operators that they live through (across) and their bytes (up)."""
    traces = []
    for plan in metrics.get("program", {}).get("arena_plan", []):
        operators, blocks = plan["operators"], plan["blocks"]
        until = [min(block["last"], len(operators)) for block in blocks]
        width = [last - block["first"] + 1 for block, last in zip(blocks, until, strict=True)]
        traces.append(
            {
                "type": "bar",
                "x": [
                    (block["first"] + last) / 2 for block, last in zip(blocks, until, strict=True)
                ],
                "width": width,
                "base": [block["offset"] for block in blocks],
                "y": [block["size"] for block in blocks],
                "text": [block["name"] for block in blocks],
                "textposition": "none",
                "customdata": [
                    [_at(operators, block["first"]), _at(operators, last)]
                    for block, last in zip(blocks, until, strict=True)
                ],
                "marker": {
                    "color": [colour(number) for number in range(len(blocks))],
                    "line": {"width": 1, "color": "rgba(255,255,255,0.6)"},
                },
                "hovertemplate": "%{text}<br>%{y:,} B from %{base:,}<br>%{customdata[0]} to "
                "%{customdata[1]}<extra></extra>",
            }
        )
    return {
        "data": traces,
        "layout": {
            "barmode": "overlay",
            "showlegend": False,
            "xaxis": {"title": {"text": "operator, in the order in which they run"}},
            "yaxis": {"title": {"text": "bytes of the arena"}, "rangemode": "tozero"},
            "hovermode": "closest",
        },
    }


def _at(operators: list[str], step: int) -> str:
    if step < 0:
        return "the input"
    return f"{step} {operators[step]}" if step < len(operators) else "the features"
