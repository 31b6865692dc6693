"""What pruning and int8 cost, in all, in each layer, and for which classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_nas.report.page.palette import colour

STEPS = {"given": "as given", "float": "float", "pruned": "pruned", "deployed": "int8 program"}


def steps(runs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Accuracy with its interval from step to step, a line for each run."""
    traces = []
    steps_shown = 0
    for number, (run, metrics) in enumerate(runs.items()):
        found = metrics.get("test_accuracy", {})
        names = [name for name in STEPS if name in found]
        if not names:
            continue
        steps_shown = max(steps_shown, len(names))
        figures = [found[name] for name in names]
        intervals = [figure["interval"] or (figure["value"],) * 2 for figure in figures]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers+text" if len(runs) == 1 else "lines+markers",
                "name": run or "accuracy",
                "x": [STEPS[name] for name in names],
                "y": [figure["value"] for figure in figures],
                "text": [f"{figure['value']:.2%}" for figure in figures],
                "textposition": "top right",
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [
                        high - figure["value"]
                        for figure, (_, high) in zip(figures, intervals, strict=True)
                    ],
                    "arrayminus": [
                        figure["value"] - low
                        for figure, (low, _) in zip(figures, intervals, strict=True)
                    ],
                    "thickness": 1,
                },
                "marker": {"size": 10, "color": colour(number)},
                "line": {"color": colour(number)},
                "hovertemplate": "%{x}: %{y:.2%}",
            }
        )
    return {
        "data": traces,
        "layout": {
            # The label of the last point needs its place.
            "xaxis": {"type": "category", "range": [-0.2, 1.25 * (steps_shown - 1) + 0.3]},
            "yaxis": {"title": {"text": "accuracy, test"}, "tickformat": ".1%"},
            "showlegend": len(runs) > 1,
        },
    }


def layers(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Decibels of signal to noise of each layer, the worst in another colour."""
    found = metrics.get("quantization", {}).get("layers", [])
    if not found:
        return {"data": [], "layout": {}}
    worst = metrics["quantization"]["worst_layer"]
    names = [layer["layer"] for layer in found]
    return {
        "data": [
            {
                "type": "bar",
                "x": names,
                "y": [layer["db"] for layer in found],
                "marker": {"color": [colour(5 if name == worst else 0) for name in names]},
                "hovertemplate": "%{x}: %{y:.2f} dB<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {"showticklabels": False, "title": {"text": "layer, in order"}},
            # What is only moved has all of its bits: it would dwarf the rest.
            "yaxis": {
                "title": {"text": "signal to noise, dB"},
                "range": [0, min(HIGHEST_DB, 1.1 * max(layer["db"] for layer in found))],
            },
        },
    }


def confusion(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of test images by class (down) and what the program says (across); colours are shares of a row."""
    found = metrics.get("confusion")
    if not found:
        return {"data": [], "layout": {}}
    matrix, names = found["matrix"], found["classes"]
    said = [*names, *(f"class {number}" for number in range(len(names), len(matrix[0])))]
    shares = [[count / max(1, sum(row)) for count in row] for row in matrix]
    return {
        "data": [
            {
                "type": "heatmap",
                "z": shares,
                "x": said,
                "y": names,
                "text": [[str(count) if count else "" for count in row] for row in matrix],
                "texttemplate": "%{text}" if len(names) <= LABELLED else "",
                "customdata": matrix,
                "colorscale": [[0, "rgba(0,114,178,0.03)"], [1, "rgba(0,114,178,0.9)"]],
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
                "hovertemplate": "%{y} taken for %{x}<br>%{customdata:,} images, %{z:.1%}"
                "<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {
                "type": "category",
                "showgrid": False,
                "title": {"text": "the program says", "standoff": 10},
            },
            "yaxis": {
                "type": "category",
                "showgrid": False,
                "autorange": "reversed",
                "title": {"text": "the image shows", "standoff": 10},
            },
        },
    }


HIGHEST_DB = 50
LABELLED = 12
"""Classes up to which each cell has its count written in it."""
