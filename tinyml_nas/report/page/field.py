"""Accuracy over the stream, of each learner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_nas.report.page.palette import band, colour

ROLES = ("learner", "baseline")


def figure(runs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A line with its band for each curve: of one run learner and baseline, of several their learners."""
    traces: list[dict[str, Any]] = []
    number = 0
    for run, metrics in runs.items():
        scenario = metrics.get("scenario", {})
        for role in ROLES if len(runs) == 1 else ROLES[:1]:
            driven = scenario.get(role, {})
            for probe, points in driven.get("curves", {}).items():
                name = " ".join(part for part in (run, driven["name"], _of(probe)) if part)
                traces += _curve(name, points, driven["spreads"][probe], number)
                number += 1
            frozen = driven.get("frozen_end")
            if role == "learner" and frozen and len(runs) == 1 and traces:
                traces.append(_unlearned(frozen["value"], len(traces[-1]["y"])))
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "labelled samples"}},
            "yaxis": {"title": {"text": "accuracy"}, "tickformat": ".0%"},
            "hovermode": "x unified",
        },
    }


def _of(probe: str) -> str:
    told = {"all": "", "shifted": "(images as they look now)", "clean": "(images as they were)"}
    return told.get(probe, f"({probe} classes)")


def _curve(
    name: str, points: list[float], spread: list[float], number: int
) -> list[dict[str, Any]]:
    steps = list(range(1, len(points) + 1))
    pairs = list(zip(points, spread, strict=True))
    high = [round(min(1.0, mean + deviation), 5) for mean, deviation in pairs]
    low = [round(max(0.0, mean - deviation), 5) for mean, deviation in pairs]
    return [
        {
            "type": "scatter",
            "x": steps + steps[::-1],
            "y": high + low[::-1],
            "mode": "lines",
            "fill": "toself",
            "fillcolor": band(number),
            "line": {"width": 0},
            "legendgroup": name,
            "showlegend": False,
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "x": steps,
            "y": [round(point, 5) for point in points],
            "mode": "lines",
            "name": name,
            "legendgroup": name,
            "line": {"color": colour(number), "width": 2},
            "hovertemplate": "%{y:.2%}",
        },
    ]


def _unlearned(share: float, steps: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [1, steps],
        "y": [share, share],
        "mode": "lines",
        "name": "had it learned nothing, at the end",
        "line": {"color": "#8a8a8a", "width": 1, "dash": "dot"},
        "hovertemplate": "%{y:.2%}",
    }
