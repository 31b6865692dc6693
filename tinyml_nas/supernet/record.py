"""The record that travels with a trained supernet: how it was made, and what it inherits."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tinyml_nas.store.digest import describe
from tinyml_nas.supernet.files import space_fields
from tinyml_nas.supernet.problem import SupernetProblem
from tinyml_nas.supernet.space import Genotype
from tinyml_nas.training.hardware import hardware
from tinyml_nas.training.loop import device_of
from tinyml_nas.training.recipes import SupernetRecipe
from tinyml_nas.training.state import Curve


def record(
    problem: SupernetProblem,
    recipe: SupernetRecipe,
    curve: Curve,
    data_digest: str,
    seed: int,
) -> dict[str, Any]:
    """Recipe, data, seed, hardware and curve; inherited accuracy on the validation split."""
    space = problem.supernet.space
    rng = np.random.default_rng(seed)
    smallest, largest = problem.anchors()
    drawn = [space.sample(rng) for _ in range(recipe.reported_networks)]
    return {
        "recipe": describe(recipe),
        "space": json.loads(space_fields(space, problem.supernet.classes)),
        "board": problem.board.name,
        "data_digest": data_digest,
        "seed": seed,
        "seconds": round(sum(entry["seconds"] for entry in curve)),
        "hardware": hardware(device_of(recipe)),
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
        "flash_bytes": footprint.flash_bytes,
        "sram_bytes": footprint.sram_bytes,
    }
