"""Accuracy against cost: the networks of a search, or the jobs of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_nas.report.page.palette import colour

COSTS = {
    "flash_bytes": "flash, bytes",
    "sram_bytes": "RAM, bytes",
    "macs": "multiply-adds",
    "parameters": "parameters",
}
"""What the horizontal axis may show; the page has a choice for it."""


def figure(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Every network of the search; what the page's choice of an axis needs stands in ``meta``."""
    found = metrics.get("search", {}).get("rivals", [])
    mcu = metrics.get("memory", {}).get("mcu", {})
    limits = {
        "flash_bytes": mcu.get("flash_limit_bytes"),
        "sram_bytes": mcu.get("ram_limit_bytes"),
    }
    groups: dict[str, list[int]] = {"other networks": [], "front": [], "chosen": []}
    for index, one in enumerate(found):
        if not one["on_front"] and not one["chosen"]:
            groups["other networks"].append(index)
        if one["on_front"]:
            groups["front"].append(index)
        if one["chosen"]:
            groups["chosen"].append(index)
    traces = []
    for name, numbers in groups.items():
        if numbers:
            numbers.sort(key=lambda index: found[index]["flash_bytes"])
            traces.append(_dots(name, [found[index] for index in numbers], numbers))
    return {"data": traces, "layout": _layout("validation", limits)}


def _dots(name: str, chosen: list[dict[str, Any]], numbers: list[int]) -> dict[str, Any]:
    look = {
        "other networks": {"color": "#9a9a9a", "size": 8, "opacity": 0.7},
        "front": {"color": colour(0), "size": 10},
        "chosen": {"color": colour(5), "size": 17, "symbol": "star"},
    }[name]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [one["flash_bytes"] for one in chosen],
        "y": [one["accuracy"] for one in chosen],
        "customdata": [
            [*(one[cost] for cost in COSTS), index]
            for one, index in zip(chosen, numbers, strict=True)
        ],
        "marker": look,
        "hovertemplate": "%{y:.2%}<br>flash %{customdata[0]:,} B<br>RAM %{customdata[1]:,} B"
        "<br>%{customdata[2]:,} multiply-adds<extra>" + name + "</extra>",
    }


def of_jobs(jobs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A dot for each job that was deployed: flash across, accuracy up, multiply-adds as its size."""
    traces = []
    for number, (job, metrics) in enumerate(jobs.items()):
        accuracy = metrics.get("test_accuracy", {}).get("deployed")
        program = metrics.get("program")
        if accuracy is None or program is None:
            continue
        costs = [
            program["flash_bytes"],
            program["ram_bytes"],
            metrics["network"]["macs"],
            metrics["network"]["parameters"],
        ]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": job,
                "x": costs[:1],
                "y": [accuracy["value"]],
                "customdata": [[*costs, number]],
                "error_y": _reach(accuracy),
                "marker": {"size": 12, "color": colour(number)},
                "hovertemplate": "%{y:.2%}<br>flash %{customdata[0]:,} B<br>RAM %{customdata[1]:,} B"
                "<br>%{customdata[2]:,} multiply-adds<extra>" + job + "</extra>",
            }
        )
    return {"data": traces, "layout": _layout("test", {})}


def _layout(split: str, limits: Mapping[str, int | None]) -> dict[str, Any]:
    """Flash across until the page's choice says otherwise; ``limits`` of those costs that have one."""
    return {
        "xaxis": {"title": {"text": COSTS["flash_bytes"]}, "type": "log"},
        "yaxis": {"title": {"text": f"accuracy, {split}"}, "tickformat": ".0%"},
        "hovermode": "closest",
        "meta": {"axes": COSTS, "limits": limits},
    }


def _reach(figure: Mapping[str, Any]) -> dict[str, Any]:
    """The interval of a figure, as error bars."""
    if not figure.get("interval"):
        return {"visible": False}
    low, high = figure["interval"]
    value = figure["value"]
    return {
        "type": "data",
        "array": [high - value],
        "arrayminus": [value - low],
        "symmetric": False,
        "thickness": 1,
    }
