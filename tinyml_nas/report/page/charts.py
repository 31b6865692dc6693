"""The page's charts, as Plotly's JSON: which there are, in which order, and what each answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyml_nas.report.page import compression, field, memory, rivals
from tinyml_nas.types import Result

Figure = dict[str, Any]
"""``data`` and ``layout``, as Plotly's ``newPlot`` takes them."""


@dataclass(frozen=True)
class Chart:
    """A section of the page: its id, a word for it, its title, what it says in words, and its figure."""

    id: str
    short: str
    title: str
    note: str
    figure: Figure


def of_run(result: Result) -> list[Chart]:
    """The charts that a result has figures for."""
    metrics = result.metrics
    drawn = (
        Chart(
            "rivals",
            "Rivals",
            "The network and its rivals",
            "Each dot is a network that the search scored, before fine-tuning, by its accuracy on validation "
            "images. Blue is the front: no other beats one of them both in accuracy and in what the search counts as cost. "
            "Click one for its figures. Dashed: what the board has.",
            rivals.figure(metrics),
        ),
        Chart(
            "confusion",
            "Mistakes",
            "What it takes for what",
            "The int8 program on the test images: rows are what an image shows, columns what the program says. "
            "Click a cell for pictures.",
            compression.confusion(metrics),
        ),
        Chart(
            "memory",
            "Memory",
            "Memory",
            "What the program takes of each memory, part by part, and what is free.",
            memory.parts(metrics),
        ),
        Chart(
            "arena",
            "Arena",
            "The arena, operator by operator",
            "Each bar is a block of activations: as wide as the operators that need it, as high as its bytes. The arena "
            "is as large as the highest point.",
            memory.arena(metrics),
        ),
        Chart(
            "field",
            "Field",
            "Learning in the field",
            "Accuracy on held-out images after each labelled sample: the mean over streams, and its deviation as a band.",
            field.figure({"": metrics}),
        ),
        Chart(
            "cost",
            "Compression",
            "What compression cost",
            "Accuracy on the test images with its 95 % interval, from the trained network to the int8 program.",
            compression.steps({"": metrics}),
        ),
        Chart(
            "layers",
            "Layers",
            "What quantization left of each layer",
            "Signal to noise of each layer's output, in the order of the network: 6 dB less is twice the noise.",
            compression.layers(metrics),
        ),
    )
    return [chart for chart in drawn if chart.figure["data"]]


def of_sweep(results: Mapping[str, Result]) -> list[Chart]:
    """The charts in which jobs stand side by side."""
    found = {job: result.metrics for job, result in results.items()}
    drawn = (
        Chart(
            "rivals",
            "Rivals",
            "Accuracy against memory",
            "Each dot is a job: the accuracy of its int8 program on the test images, and what it takes.",
            rivals.of_jobs(found),
        ),
        Chart(
            "field",
            "Field",
            "Learning in the field",
            "Accuracy on held-out images after each labelled sample, of each job's learner. Click a name to hide it.",
            field.figure(found),
        ),
        Chart(
            "cost",
            "Compression",
            "What compression cost",
            "Accuracy on the test images with its 95 % interval, from the trained network to the int8 program.",
            compression.steps(found),
        ),
    )
    return [chart for chart in drawn if chart.figure["data"]]
