"""The thesis's figure 2 beside what sweeps found: a table, and curves with bands.

    python -m benchmarks.figure2 outputs/figure2 [outputs/figure2_float] [--picture FILE.svg]

Takes the folders of any sweeps with a scenario, as those of ``experiment=figure2`` and ``experiment=class_incremental``.
Prints Markdown: a row for each scenario, stream, network and learner. Ends are means of all repetitions on all images;
"as published" is the mean of five on 200 images, as the thesis's figures are. Bands are deviations over repetitions.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen import durable
from tinyml_nas.report.result import flatten, read_result, results_in, show
from tinyml_nas.types import Figure, Result

ROLES = ("learner", "baseline")
END, AS_PUBLISHED = "end", "end_as_published"
BASE = "base"
"""The network of old classes alone: the thesis has one of 954 kB, whatever it is called here."""
THESIS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("ConceptDrift", "all"): {
        "omega_801kb": ".658 ± .019",
        "omega_1190kb": ".663 ± .021",
        "float": ".778 ± .007",
        "tinyol": ".613 ± .014",
    },
    ("ClassIncremental", "new"): {
        BASE: ".353 ± .047",
        "float": ".518 ± .089",
        "tinyol": ".243 ± .240",
    },
    ("ClassIncremental", "old"): {BASE: ".502 ± .008", "float": ".422 ± .021"},
    ("Transfer", "all"): {
        "omega_801kb": ".320 ± .041",
        "omega_1190kb": ".381 ± .047",
        "float": ".505 ± .092",
        "tinyol": ".021 ± .020",
    },
}
"""By world and probe: the thesis's figure of a network, of its float baseline Υ of 8.72 MB, or of TinyOL, which it ran
on the one of 801 kB."""
FLOAT = ", float"
PICTURES: Mapping[str, Mapping[str, str | None]] = {
    "svg": {"Date": None},
    "png": {"Software": None},
}
"""Kinds of picture, and what of each is left out so that equal curves give equal bytes."""


@dataclass(frozen=True)
class Row:
    """What one program did in one scenario, by the probe: ``curve`` and ``spread`` have a value a sample."""

    world: str
    stream: str
    network: str
    learner: str
    probe: str
    end: Figure
    as_published: Figure
    curve: tuple[float, ...]
    spread: tuple[float, ...]
    marked: str

    @property
    def name(self) -> str:
        """Of the program, in a legend."""
        return f"{self.network}, {self.learner}"

    @property
    def thesis(self) -> str:
        """The thesis's figure of the same, if it has one."""
        known = THESIS.get((self.world, self.probe), {})
        if self.network.endswith(FLOAT):
            return known.get("float", "") if self.learner in ("tybox", "auto") else ""
        if self.learner == "tinyol":
            return known.get("tinyol", "")
        network = self.network if self.network in known else BASE
        return known.get(network, "") if self.learner in ("tybox", "auto") else ""


def rows_of(result: Result) -> list[Row]:
    """The rows of a finished job; none where nothing was driven."""
    scenario = result.metrics.get("scenario")
    if scenario is None:
        return []
    said = dict(item.partition("=")[::2] for item in result.overrides)
    named = said.get("network") or said.get("experiment") or "searched"
    if scenario["world"] == "ClassIncremental":
        named = said.get("base_network") or named
    network = _name(Path(named))
    if result.metrics.get("omega", {}).get("dtype") == "float32":
        network += FLOAT
    return [row for role in ROLES for row in _rows(scenario, scenario[role], network)]


def _name(network: Path) -> str:
    """What a network goes by: its own name, or that of the run which left it in ``network/``."""
    return network.parent.name if network.name == "network" else network.name


def _rows(scenario: Mapping[str, Any], driven: Mapping[str, Any], network: str) -> Iterable[Row]:
    figures = dict(flatten(driven))
    for probe, curve in driven.get("curves", {}).items():  # none of one that does not fit
        prefix = "" if probe == "all" else f"{probe}_"
        if f"{prefix}{END}" not in figures or f"{prefix}{AS_PUBLISHED}" not in figures:
            continue
        yield Row(
            world=scenario["world"],
            stream=scenario["stream"],
            network=network,
            learner=driven["name"],
            probe=probe,
            end=figures[f"{prefix}{END}"],
            as_published=figures[f"{prefix}{AS_PUBLISHED}"],
            curve=tuple(curve),
            spread=tuple(driven["spreads"][probe]),
            marked=scenario["new_classes_seen_in_training"] or "",
        )


def distinct(rows: Iterable[Row]) -> list[Row]:
    """Without those that say the same: jobs share their baseline."""
    return list({(r.world, r.stream, r.name, r.probe, r.end.value): r for r in rows}.values())


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = [
        "| world | stream | images | network | learner | end | as published | thesis |",
        "|---|---|---|---|---|---:|---:|---:|",
    ]
    for row in rows:
        seen = f" (its extractor has seen {row.marked}: no figure of new classes)"
        cells = (
            row.world,
            row.stream,
            row.probe,
            row.network,
            row.learner,
            show(row.end) + (seen if row.marked else ""),
            show(row.as_published),
            row.thesis,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(rows: Sequence[Row], path: Path) -> None:
    """A panel for each world, stream and probe, as SVG or PNG; what is written twice is equal."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Picture

    panels = list(dict.fromkeys((row.world, row.stream, row.probe) for row in rows))
    with rc_context({"svg.hashsalt": "figure2"}):
        picture = Picture(figsize=(6, 3.2 * len(panels)), layout="constrained")
        for axes, panel in zip(
            picture.subplots(len(panels), squeeze=False)[:, 0], panels, strict=True
        ):
            for row in rows:
                if (row.world, row.stream, row.probe) != panel:
                    continue
                low, high = (
                    [
                        100 * (mean + sign * wide)
                        for mean, wide in zip(row.curve, row.spread, strict=True)
                    ]
                    for sign in (-1, 1)
                )
                (line,) = axes.plot([100 * mean for mean in row.curve], label=row.name, linewidth=1)
                axes.fill_between(range(len(low)), low, high, color=line.get_color(), alpha=0.15)
            axes.set_title(", ".join(panel))
            axes.set_xlabel("labelled samples")
            axes.set_ylabel("right of 200 images, %")
            axes.grid(alpha=0.3)
            axes.legend(fontsize="small")
        with durable.replacing(path) as aside:
            kind = path.suffix[1:]
            picture.savefig(aside, format=kind, dpi=150, metadata=PICTURES[kind])


def main() -> None:
    """Print the table of sweeps, and draw them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sweeps", type=Path, nargs="+", help="the folders of sweeps")
    parser.add_argument("--picture", type=Path, help="where to put it: FILE.svg or FILE.png")
    arguments = parser.parse_args()
    if arguments.picture and arguments.picture.suffix[1:] not in PICTURES:
        parser.error(f"--picture: must end with .svg or .png; got {arguments.picture}")
    paths = [path for sweep in arguments.sweeps for path in results_in(sweep)]
    rows = distinct(row for path in paths for row in rows_of(read_result(path)))
    if not rows:
        parser.error(f"{', '.join(map(str, arguments.sweeps))}: no finished job with a scenario")
    sys.stdout.write(table(rows) + "\n")
    if arguments.picture is not None:
        draw(rows, arguments.picture)


if __name__ == "__main__":
    main()
