"""What one learning step costs on an emulated core: of TyBox, and of each learner in closed form.

    python -m benchmarks.learning                  # Cortex-M4, 192 features, ten classes: a minute

A step over a full buffer is the difference between two runs, twice over: the last sample of a run that fills the
buffer costs a step, an inference and its input and output; the last one of an unlabelled run costs the same without.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import emulated, networks
from codegen.boards.board import CORES
from codegen.ir import Graph, Op, Quantization, Tensor
from codegen.learners.base import Learner
from codegen.learners.imprint_replay import ImprintReplay
from codegen.learners.lda import Lda
from codegen.learners.ncm import Ncm
from codegen.learners.online_lda import OnlineLda
from codegen.learners.rls import Rls
from codegen.learners.statistics import statistics_of
from codegen.learners.tybox import Tybox

SAMPLES = 158  # of a full buffer, as in the thesis
CLASSES = 10
QUANTIZATION = Quantization((0.05,), (-3,))


CASES: dict[str, Learner] = {
    "tybox": Tybox(1e-3),
    "imprint_replay": ImprintReplay(1e-3),
    "ncm": Ncm(),
    "lda": Lda(),
    "online_lda": OnlineLda(),
    "rls": Rls(),
}


@dataclass(frozen=True)
class Step:
    """One learning step."""

    instructions: int
    multiply_adds: int

    @property
    def ratio(self) -> float:
        """Instructions a multiply-add."""
        return self.instructions / self.multiply_adds


def step(learner: Learner, core: str, features: int, classes: int = CLASSES) -> Step:
    """One learning step on ``core``."""
    shapes = (1, 1, features, 1), (1, features)
    tensors = tuple(Tensor(f"t{n}", shape, "int8", QUANTIZATION) for n, shape in enumerate(shapes))
    graph = Graph(tensors, (Op("RESHAPE", (0,), (1,)),), (0,), (1,))
    samples = min(SAMPLES, learner.most_samples)
    project = emulated.project_of(graph, core, classes, samples, learner)
    rng = np.random.default_rng(1)
    count = max(samples, 2) + 1
    images = rng.integers(-128, 128, (count, *shapes[0][1:])).astype(np.int8)
    labels = rng.integers(0, classes, count).tolist()
    if learner.needs_statistics:
        seen = rng.integers(-128, 128, (4 * features, features))
        known = statistics_of(0.05 * (seen + 3), np.arange(len(seen)) % classes, range(classes))
        project = replace(project, statistics=known)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = emulated.build(project, folder, "stream", emulated=True)

        def total(number: int, *, learn: bool) -> int:
            given = labels[:number] if learn else None
            tools = networks.CACHE
            return emulated.stream(
                program, project, folder, tools, images[:number], given, {}
            ).total

        last = total(count, learn=True) - total(count - 1, learn=True)
        last -= total(count, learn=False) - total(count - 1, learn=False)
    return Step(last, learner.multiply_adds(project.shape))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Measure a learning step on an emulated core.")
    parser.add_argument("--core", choices=CORES, default="cortex-m4")
    parser.add_argument("--features", type=int, default=192)
    parser.add_argument("--learner", action="append", choices=sorted(CASES))
    arguments = parser.parse_args()
    sys.stdout.write(f"{'instructions':>12} {'MAC':>9} {'per MAC':>7}  learner\n")
    for name in arguments.learner or CASES:
        found = step(CASES[name], arguments.core, arguments.features)
        row = f"{found.instructions:>12,} {found.multiply_adds:>9,} {found.ratio:>7.2f}  {name}\n"
        sys.stdout.write(row)


if __name__ == "__main__":
    main()
