"""The record that travels with a trained supernet: how it was made, and what it inherits."""

from __future__ import annotations

import dataclasses
import platform
from typing import Any

import numpy as np
import torch

from tinyml_nas.recipe import SupernetRecipe
from tinyml_nas.supernet.problem import SupernetProblem
from tinyml_nas.supernet.space import Genotype

RANDOM_NETWORKS = 50


def record(
    problem: SupernetProblem,
    recipe: SupernetRecipe,
    curve: list[dict[str, float]],
    data_digest: str,
    seed: int,
) -> dict[str, Any]:
    """Recipe, data, seed, hardware and curve; inherited accuracy on the validation split."""
    space = problem.supernet.space
    rng = np.random.default_rng(seed)
    smallest, largest = problem.anchors()
    drawn = [space.sample(rng) for _ in range(RANDOM_NETWORKS)]
    return {
        "recipe": dataclasses.asdict(recipe),
        "space": dataclasses.asdict(space),
        "data_digest": data_digest,
        "seed": seed,
        "seconds": round(sum(entry["seconds"] for entry in curve)),
        "hardware": f"{platform.processor() or platform.machine()}, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}",
        "curve": curve,
        "validation_images": len(problem.validation),
        "smallest": score(problem, smallest),
        "largest": score(problem, largest),
        "random": [score(problem, genotype) for genotype in drawn],
    }


def score(problem: SupernetProblem, genotype: Genotype) -> dict[str, Any]:
    """Inherited accuracy and cost of one network."""
    footprint = problem.footprint(genotype)
    return {
        "genes": list(problem.architecture(genotype).genes),
        "resolution": problem.architecture(genotype).resolution,
        "accuracy": round(1 - problem.error(genotype), 4),
        "parameters": footprint.parameters,
        "macs": footprint.macs,
    }
