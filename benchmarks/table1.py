"""The thesis's Table 1 beside what a sweep of ``experiment=table1`` found, and a picture of it.

    python -m benchmarks.table1 outputs/table1 [--svg FILE]

Prints Markdown: for each family a row for the baseline Υ and one for each Φ with its Ω, and below how long each was
trained. Sizes are those of weights and activations, as the thesis counts them; accuracy is that on all test images. The
picture shows it over the share of Υ's size that is kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen import durable
from tinyml_nas.interval import percent
from tinyml_nas.report.result import read_result, results_in
from tinyml_nas.types import Result

FAMILIES = {"lite0": "from ImageNet", "thesis": "CIFAR-10 alone"}
"""What a value of ``supernet`` stands for."""


@dataclass(frozen=True)
class Published:
    """A row of the thesis: share of the baseline's bytes, accuracy in float, that of Ω and its bytes."""

    share: float
    float_accuracy: float
    int8_accuracy: float | None = None
    omega_bytes: int | None = None


THESIS = (
    Published(1.0, 0.7929),
    Published(0.494, 0.7948, 0.7850, 1_190_000),
    Published(0.331, 0.7715, 0.7500, 801_000),
    Published(0.294, 0.6518),
    Published(0.244, 0.5166),
    Published(0.199, 0.1326),
)


@dataclass(frozen=True)
class Row:
    """What one job measured. Accuracies lie in [0, 1]; Ω's are None where it does not fit."""

    family: str
    keep_ratio: float
    whole_bytes: int
    whole_accuracy: float
    size_bytes: int
    accuracy: float
    int8_accuracy: float | None
    omega_bytes: int | None
    images: int
    whole_steps: int
    steps: int

    @property
    def share(self) -> float:
        """Bytes that were kept, as a share of the baseline's."""
        return self.size_bytes / self.whole_bytes


def row_of(result: Result) -> Row | None:
    """A finished job as a row; None where nothing was trained."""
    found, said = result.metrics, dict(item.split("=", 1) for item in result.overrides)
    if "size_bytes" not in found:
        return None
    accuracy = {name: figure["value"] for name, figure in found["test_accuracy"].items()}
    model = found.get("memory", {}).get("thesis")
    sizes = found["size_bytes"]
    return Row(
        family=FAMILIES[said["supernet"]],
        keep_ratio=float(said["pruning.keep_ratio"]),
        whole_bytes=sizes["float"],
        whole_accuracy=accuracy["float"],
        size_bytes=sizes["pruned"],
        accuracy=accuracy["pruned"],
        int8_accuracy=accuracy.get("deployed"),
        omega_bytes=None if model is None else fixed_bytes(model),
        images=found["network"]["test_images"],
        whole_steps=found["training"]["float"]["steps"],
        steps=found["training"]["pruned"]["steps"],
    )


def fixed_bytes(model: Mapping[str, Any]) -> int:
    """Bytes of Ω without its buffer, as ``memory=thesis`` counts them."""
    parts: Mapping[str, int] = model["ram_parts"]
    return sum(size for name, size in parts.items() if name != "buffer")


def table(rows: Iterable[Row]) -> str:
    """Markdown, a family after the other, the baseline first."""
    lines = [
        "| | share | Υ or Φ, float | lost to Υ | Ω, int8 | lost by int8 | Ω without B, bytes | thesis, float | thesis, int8 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for family in FAMILIES.values():
        own = sorted((r for r in rows if r.family == family), key=lambda r: -r.keep_ratio)
        if own:
            first = own[0]
            lines.append(
                f"| {family} | 100 % ({first.whole_bytes:,} B) | {percent(first.whole_accuracy, first.images)} "
                f"| | | | | {published(THESIS[0].float_accuracy)} | |"
            )
        lines += [line_of(row) for row in own]
    return "\n".join(lines)


def caption(rows: Iterable[Row]) -> str:
    """A line for each family: the steps of its trainings."""
    lines = []
    for family in FAMILIES.values():
        own = [row for row in rows if row.family == family]
        if own:
            steps = sorted({row.steps for row in own})
            lines.append(
                f"{family}: Υ was trained for {own[0].whole_steps:,} steps, each Φ for "
                f"{' or '.join(f'{count:,}' for count in steps)} more."
            )
    return "\n".join(lines)


def line_of(row: Row) -> str:
    """A line for one Φ and its Ω."""
    thesis = min(THESIS, key=lambda published: abs(published.share - row.keep_ratio))
    cells = [
        row.family,
        f"{100 * row.share:.1f} %",
        percent(row.accuracy, row.images),
        points(row.whole_accuracy - row.accuracy),
        "does not fit" if row.int8_accuracy is None else percent(row.int8_accuracy, row.images),
        "" if row.int8_accuracy is None else points(row.accuracy - row.int8_accuracy),
        "" if row.omega_bytes is None else f"{row.omega_bytes:,}",
        published(thesis.float_accuracy),
        "" if thesis.int8_accuracy is None else published(thesis.int8_accuracy),
    ]
    return f"| {' | '.join(cells)} |"


def published(accuracy: float) -> str:
    """An accuracy of the thesis, which gives no interval."""
    return f"{100 * accuracy:.2f} %"


def points(lost: float) -> str:
    """Percentage points with their sign."""
    return f"{100 * lost:+.2f}"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Accuracy over the float network's size, as SVG; what is written twice is equal."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "table1"}):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        axes = figure.subplots()
        shares = [published.share for published in THESIS]
        axes.plot(
            [100 * share for share in shares],
            [100 * published.float_accuracy for published in THESIS],
            "s--",
            color="0.5",
            label="thesis, float",
        )
        for family in FAMILIES.values():
            own = sorted((r for r in rows if r.family == family), key=lambda r: r.share)
            if not own:
                continue
            sizes = [100 * r.share for r in own] + [100.0]
            (line,) = axes.plot(
                sizes,
                [100 * r.accuracy for r in own] + [100 * own[0].whole_accuracy],
                "o-",
                label=f"{family}, float",
            )
            deployed = [(100 * r.share, 100 * r.int8_accuracy) for r in own if r.int8_accuracy]
            axes.plot(
                *zip(*deployed, strict=True), "x:", color=line.get_color(), label=f"{family}, int8"
            )
        axes.set_xlabel("weights and activations kept, % of the baseline's")
        axes.set_ylabel("top-1 on the test images, %")
        axes.grid(alpha=0.3)
        axes.legend()
        with durable.replacing(path) as aside:
            figure.savefig(aside, format="svg", metadata={"Date": None})


def main() -> None:
    """Print the table of a sweep, and draw it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sweep", type=Path, help="the folder of the sweep")
    parser.add_argument("--svg", type=Path, help="where to put the picture")
    arguments = parser.parse_args()
    results = [read_result(path) for path in results_in(arguments.sweep)]
    rows = [row for result in results if (row := row_of(result)) is not None]
    if not rows:
        parser.error(f"{arguments.sweep}: no finished job of experiment=table1 in it")
    sys.stdout.write(f"{table(rows)}\n\n{caption(rows)}\n")
    if arguments.svg is not None:
        draw(rows, arguments.svg)


if __name__ == "__main__":
    main()
