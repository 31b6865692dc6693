"""Turn the learner's knobs on validation streams."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from codegen.learners.base import Knob
from scenarios.protocol import Scenario
from tinyml_nas.pipeline.compilers import HostCompiler
from tinyml_nas.pipeline.features import samples
from tinyml_nas.pipeline.split import Split
from tinyml_nas.progress import reported
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def calibrate(
    folder: Path,
    work: Path,
    *,
    scenario: Scenario,
    knobs: tuple[Knob, ...],
    project: Artifact,
    features: Artifact,
    images: Split,
    seed: int,
    compiler: HostCompiler,
) -> dict[str, Json]:
    """The ``values`` that do best, of the knobs' grids; see ``scenarios.protocol.Calibration``."""
    from scenarios.protocol import calibrate as pick

    program, field = compiler.model(project.path), samples(features, images)
    with reported("calibrate") as report:
        return asdict(pick(scenario, program, field, knobs, seed, report))
