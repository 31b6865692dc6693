"""Drive the program through the scenario."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from scenarios.base import Order, Scenario
from tinyml_nas.pipeline.compilers import HostCompiler
from tinyml_nas.pipeline.features import divided, samples
from tinyml_nas.pipeline.split import Split
from tinyml_nas.progress import reported
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def drive(
    folder: Path,
    work: Path,
    *,
    scenario: Scenario,
    order: Order,
    project: Artifact,
    features: Artifact,
    images: Split,
    later_features: Artifact | None,
    pool_features: Artifact | None,
    pool_images: Split | None,
    seed: int,
    compiler: HostCompiler,
) -> dict[str, Json]:
    """What the scenario made of the program; see ``scenarios.run.Outcome``.

    Streams are drawn from the pool, or from ``images`` where there is none. ``later_features`` are of the same
    ``images`` as they come to look, where the scenario makes them look otherwise.
    """
    from scenarios.field import Field
    from scenarios.run import report as driven

    program, score = compiler.model(project.path), samples(features, images)
    classes = images.dataset.classes
    if pool_features is None or pool_images is None:
        field = divided(scenario, features, later_features, images)
    else:
        field = Field(samples(pool_features, pool_images), score, classes)
    with reported("scenario") as report:
        return asdict(driven(scenario, order, program, field, seed, report))
