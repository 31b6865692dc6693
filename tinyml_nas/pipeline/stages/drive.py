"""Drive the program through the scenario."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from scenarios.protocol import Scenario
from tinyml_nas.pipeline.compilers import HostCompiler
from tinyml_nas.pipeline.features import samples
from tinyml_nas.pipeline.split import Split
from tinyml_nas.progress import reported
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def drive(
    folder: Path,
    work: Path,
    *,
    scenario: Scenario,
    project: Artifact,
    features: Artifact,
    images: Split,
    seed: int,
    compiler: HostCompiler,
) -> dict[str, Json]:
    """What the scenario made of the program, on streams of ``images``."""
    program, field = compiler.model(project.path), samples(features, images)
    with reported("scenario") as report:
        return asdict(scenario.run(program, field, seed, report))
