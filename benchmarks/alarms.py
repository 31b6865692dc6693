"""When the alarms of a learner ring, on validation streams: falsely where nothing changes, late where two classes swap.

    python -m benchmarks.alarms PROJECT DIR   # PROJECT of a CIFAR-10 run, in int8

Drives the generated C++ of ``rls`` on the extractor's features, at its first knobs and several alarms. Prints Markdown: for
each order of samples the accuracy in the end, false alarms in a thousand labels of a stream in which nothing changes,
and of the two classes that swap, how many are taken as new and after how many labels from the swap (median).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.heads import CLASSES, ORDERS, extracted, program
from codegen.learners.rls import Rls
from codegen.toolchain.host import HostModel
from scenarios.base import Order
from scenarios.field import Field, divide
from scenarios.worlds.concept_drift import ConceptDrift
from scenarios.worlds.stationary import Stationary

STREAMS = 5
NEVER = 1e6
ALARMS = (NEVER, 2.0, 3.0, 5.0)
SWAP, STILL = ConceptDrift(), Stationary()


@dataclass(frozen=True)
class Drive:
    """What came of a stream: where alarms rang (label, class), and the accuracy in the end."""

    rang: tuple[tuple[int, int], ...]
    end: float


def drive(
    model: HostModel, world: ConceptDrift | Stationary, order: Order, field: Field, seed: int
) -> Drive:
    """One stream; a class that was taken as new is one whose count starts again from one sample."""
    stream = world.stream(field.pool, field.classes, order, np.random.default_rng((1, seed)))
    counts = model.shape.classes * (model.shape.features + 1)  # where they lie in the state
    first = np.float32(1) / np.float32(model.knobs["prior_samples"])
    rang = []
    pairs = zip(stream.samples.features, stream.labels.tolist(), strict=True)
    for number, (features, label) in enumerate(pairs):
        model.learn(features, label)
        if model.state()[counts + label] == first:
            rang.append((number, label))
    (probe,) = stream.probes
    right = probe.truth.labels[probe.truth.shares[-1].argmax()][field.score.labels]
    said = model.predict(field.score.features)
    return Drive(tuple(rang), float(np.mean(said == right)))


def row(model: HostModel, order: Order, field: Field, alarm: float) -> Sequence[str]:
    """The cells of a line."""
    runs: dict[str, list[Drive]] = {}
    for name, world in (("still", STILL), ("swap", SWAP)):
        runs[name] = []
        for seed in range(STREAMS):
            model.reset()
            model.set_knob("alarm", alarm)
            runs[name].append(drive(model, world, order, field, seed))
    false = sum(len(one.rang) for one in runs["still"])
    # The first alarm of a swapped class from the swap on.
    delays = [
        min(number for number, c in one.rang if c == label and number >= SWAP.drift_at)
        - SWAP.drift_at
        + 1
        for one in runs["swap"]
        for label in SWAP.swapped
        if any(c == label and number >= SWAP.drift_at for number, c in one.rang)
    ]
    return (
        f"{np.mean([one.end for one in runs['still']]):.3f}",
        f"{1000 * false / STREAMS / STILL.samples:.2f}",
        f"{np.mean([one.end for one in runs['swap']]):.3f}",
        f"{len(delays)} of {STREAMS * len(SWAP.swapped)}",
        f"{np.median(delays):.0f}" if delays else "",
    )


def main() -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description="When alarms ring, on validation streams.")
    parser.add_argument("project", type=Path, help="the project of a run on CIFAR-10, in int8")
    parser.add_argument("root", type=Path, help="data.root")
    arguments = parser.parse_args()
    known = extracted(arguments.project, arguments.root)
    field = divide(known.field["concept_drift"], CLASSES, SWAP.samples, SWAP.curve_images)
    heading = "| stream | alarm | still, end | false, of 1,000 | swap, end | found | after |"
    sys.stdout.write(f"{heading}\n|---|---:|---:|---:|---:|---:|---:|\n")
    with tempfile.TemporaryDirectory() as folder:
        model = program(known, Rls(), blank=False, folder=Path(folder))
        for name, order in ORDERS.items():
            for alarm in ALARMS:
                cells = " | ".join(row(model, order, field, alarm))
                shown = "never" if alarm == NEVER else f"{alarm:g}"
                sys.stdout.write(f"| {name} | {shown} | {cells} |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
