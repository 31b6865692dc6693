"""Whether inherited accuracy ranks networks as training does: Kendall's τ.

    python -m benchmarks.ranking DATA [--networks 12] [--epochs 10] [--folder outputs/ranking]

Draws random networks of the shipped supernet, scores each on CIFAR-10's validation images with inherited weights
and again after training it alone from random weights, and compares the two orders. Twelve networks for ten epochs take
about five hours on two idle cores, or minutes on a GPU. Each finished network is kept in the folder, and so
is the state of the one that trains: the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.stats import bootstrap, kendalltau

from benchmarks.training import read
from codegen import durable
from codegen.boards.board import load
from tinyml_nas.data.cifar10 import Cifar10
from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.progress import reported
from tinyml_nas.supernet.files import load_supernet
from tinyml_nas.supernet.problem import SupernetProblem
from tinyml_nas.supernet.space import Genotype, MobileNetV3Space
from tinyml_nas.training.base import Recipe
from tinyml_nas.training.loop import accuracy, finetune
from tinyml_nas.types import Images

RESAMPLES = 1000


def trained(
    problem: SupernetProblem,
    genotype: Genotype,
    train: Images,
    recipe: Recipe,
    folder: Path,
    seed: int,
) -> float:
    """Validation accuracy of a network that is trained from random weights."""
    kept = folder / "accuracy.json"
    if kept.exists():
        return float(json.loads(kept.read_text()))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        spec = problem.supernet.space.spec(genotype, problem.supernet.classes)
        network = StaticNetwork(spec)
    with reported(folder.name) as report:
        finetune(network, train, recipe, folder, seed, report)
    reached = accuracy(network, problem.validation)
    durable.write(kept, json.dumps(reached))
    return reached


def interval(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """95 % interval of τ over the networks that might have been drawn (bootstrap, percentile)."""
    found = bootstrap(
        (first, second),
        lambda a, b: kendalltau(a, b).statistic,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def main() -> None:
    """Print each network's two accuracies, and τ."""
    parser = argparse.ArgumentParser(description="Kendall's τ of inherited and trained accuracy.")
    parser.add_argument("data", type=Path, help="folder of cifar-10-batches-bin")
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--epochs", type=float, default=10)
    parser.add_argument("--folder", type=Path, default=Path("outputs/ranking"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()

    data = Cifar10(given.data)
    train, validation = data.split("train"), data.split("validation")
    space = MobileNetV3Space(**read("supernet/mbv3_mcu"))
    supernet = load_supernet(space, data.classes)
    problem = SupernetProblem(supernet, train, validation, load("nucleo_1mb"))
    recipe = Recipe(epochs=given.epochs, optimizer="muon", average_steps=100)
    rng = np.random.default_rng(given.seed)
    inherited, alone = [], []
    sys.stdout.write("| network | M MACs | inherited | trained |\n|---:|---:|---:|---:|\n")
    for number in range(given.networks):
        genotype = space.sample(rng)
        inherited.append(1 - problem.error(genotype))
        folder = given.folder / f"network-{number}"
        alone.append(trained(problem, genotype, train, recipe, folder, given.seed))
        macs = problem.footprint(genotype).macs / 1e6
        sys.stdout.write(f"| {number} | {macs:.1f} | {inherited[-1]:.4f} | {alone[-1]:.4f} |\n")
        sys.stdout.flush()
    tau = kendalltau(inherited, alone).statistic
    low, high = interval(inherited, alone)
    sys.stdout.write(f"τ = {tau:.2f} ({low:.2f} to {high:.2f}), {given.networks} networks\n")


if __name__ == "__main__":
    main()
