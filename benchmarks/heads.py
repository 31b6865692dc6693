"""Every learner on validation streams of every order, each tuned alike: which head to choose when.

    python -m benchmarks.heads PROJECT DIR [--learner NAME] [--world NAME] [--stream NAME]   # PROJECT of a CIFAR-10 run
    python -m benchmarks.heads PROJECT DIR --learner tybox --buffer-samples 700 --replayed 30   # a part of a large buffer

Takes the extractor of a run's project, whose features are computed once, and builds a program around each learner
that has nothing but its head: the same C++, a second to compile. Prints Markdown: the mean end accuracy of three
streams with the best knobs found on them. These are figures to choose by, not to report: scores are those that
knobs were tuned on. ``python run.py -m learner=... stream=...`` makes reported ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.two_layer import read_constant
from codegen.alone import alone
from codegen.boards.board import load
from codegen.emit.emitter import emit
from codegen.ir import Quantization
from codegen.learners.base import Learner, widened
from codegen.learners.imprint_replay import ImprintReplay
from codegen.learners.lda import Lda
from codegen.learners.ncm import Ncm
from codegen.learners.online_lda import OnlineLda
from codegen.learners.rls import Rls
from codegen.learners.statistics import Statistics, statistics_of
from codegen.learners.tinyol import TinyOL
from codegen.learners.tybox import Tybox
from codegen.project import HeadWeights
from codegen.toolchain.host import HostModel
from scenarios.base import Order
from scenarios.field import Samples, divide
from scenarios.run import calibrate
from scenarios.streams.imbalanced import Imbalanced
from scenarios.streams.noisy_labels import NoisyLabels
from scenarios.streams.runs import Runs
from scenarios.streams.shuffled import Shuffled
from scenarios.streams.sorted import Sorted
from scenarios.worlds.concept_drift import ConceptDrift
from scenarios.worlds.transfer import Transfer
from tinyml_nas.data.base import Dataset
from tinyml_nas.data.cifar10 import Cifar10
from tinyml_nas.data.imagenette import Imagenette
from tinyml_nas.pipeline.inputs import device_inputs
from tinyml_nas.types import Images

SAMPLES = 158  # of a buffer, as in the thesis
TUNING_STREAMS = 3
STATISTICS_IMAGES = 4000
CLASSES = 10
RATES = (0.3, 1.0, 3.0, 10.0, 30.0)
LEARNERS: dict[str, Learner] = {
    "tybox": Tybox(learning_rates=RATES),
    "tinyol": TinyOL(learning_rates=RATES),
    "imprint_replay": ImprintReplay(learning_rates=RATES),
    "ncm": Ncm(),
    "lda": Lda(),
    "online_lda": OnlineLda(),
    "rls": Rls(),
}
WORLDS: dict[str, ConceptDrift | Transfer] = {
    "concept_drift": ConceptDrift(tuning_repetitions=TUNING_STREAMS),
    "transfer": Transfer(tuning_repetitions=TUNING_STREAMS),
}
ORDERS: dict[str, Order] = {
    "shuffled": Shuffled(),
    "runs": Runs(),
    "sorted": Sorted(),
    "imbalanced": Imbalanced(),
    "noisy_labels": NoisyLabels(),
}


@dataclass(frozen=True, eq=False)
class Extracted:
    """What is known of an extractor: its head, how its features are coded, and the moments of training features."""

    head: HeadWeights
    coding: Quantization
    statistics: Statistics
    field: Mapping[str, Samples]


def extracted(project: Path, root: Path) -> Extracted:
    """From the project of a run on CIFAR-10, and validation images of each world."""
    model = HostModel(project)
    cifar = Cifar10(root)
    imagenette = Imagenette(root=root, folder="imagenette2-96", side=96)

    def codes(images: Images, most: int | None = None) -> npt.NDArray[np.generic]:
        few = replace(images, pixels=images.pixels[:most], labels=images.labels[:most])
        return model.features(device_inputs(few, model.shape.image[0], "int8"))

    train = cifar.split("train")
    scale = read_constant(project, "kFeatureScale")
    zero = read_constant(project, "kFeatureZeroPoint")
    real = scale * (codes(train, STATISTICS_IMAGES).astype(np.float64) - zero)
    sets: dict[str, Dataset] = {"concept_drift": cifar, "transfer": imagenette}
    splits = {world: images.split("validation") for world, images in sets.items()}
    model.reset()
    return Extracted(
        HeadWeights(*model.head()),
        Quantization((scale,), (int(zero),)),
        statistics_of(real, train.labels[:STATISTICS_IMAGES], range(CLASSES)),
        {world: Samples(codes(split), split.labels) for world, split in splits.items()},
    )


def program(
    known: Extracted, learner: Learner, *, blank: bool, folder: Path, samples: int = SAMPLES
) -> HostModel:
    """A learner around features as they are; with a head that knows no class where it starts ``blank``."""
    head, statistics = known.head, known.statistics
    if blank:
        head = HeadWeights(head.weights[:0], head.bias[:0])
        statistics = replace(statistics, shares=statistics.shares[:0], means=statistics.means[:0])
        learner = widened(learner, CLASSES)
    project = alone(
        learner,
        head,
        "int8",
        known.coding,
        min(samples, learner.most_samples),
        load("nucleo_1mb"),
        statistics if learner.needs_statistics else None,
    )
    emit(project, folder / "project")
    return HostModel(folder / "project")


def main() -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description="Compare learners on validation streams.")
    parser.add_argument("project", type=Path, help="the project of a run on CIFAR-10, in int8")
    parser.add_argument("root", type=Path, help="data.root")
    parser.add_argument("--learner", action="append", choices=LEARNERS)
    parser.add_argument("--world", action="append", choices=WORLDS)
    parser.add_argument("--stream", action="append", choices=ORDERS)
    parser.add_argument("--buffer-samples", type=int, default=SAMPLES)
    parser.add_argument("--replayed", type=int, help="samples of it that a label replays")
    arguments = parser.parse_args()
    known = extracted(arguments.project, arguments.root)
    orders = arguments.stream or list(ORDERS)
    sys.stdout.write(f"| world | learner | {' | '.join(orders)} |\n")
    sys.stdout.write(f"|---|---|{'---:|' * len(orders)}\n")
    for world_name in arguments.world or WORLDS:
        world, samples = WORLDS[world_name], known.field[world_name]
        field = divide(samples, CLASSES, world.samples, world.curve_images)
        for name in arguments.learner or LEARNERS:
            learner = LEARNERS[name]
            if isinstance(learner, Tybox):
                learner = replace(learner, replayed=arguments.replayed)
            with tempfile.TemporaryDirectory() as folder:
                blank = isinstance(world, Transfer)
                where, samples = Path(folder), arguments.buffer_samples
                model = program(known, learner, blank=blank, folder=where, samples=samples)
                ends = [
                    calibrate(world, ORDERS[order], model, field, learner.knobs(), 0).score
                    for order in orders
                ]
            cells = " | ".join(f"{end:.3f}" for end in ends)
            sys.stdout.write(f"| {world_name} | `{name}` | {cells} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
