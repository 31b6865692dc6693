"""Tune the learner's knobs on validation streams."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from codegen.learners.base import Knob
from scenarios.base import Order, Scenario
from tinyml_nas.pipeline.compilers import HostCompiler
from tinyml_nas.pipeline.features import divided
from tinyml_nas.pipeline.split import Split
from tinyml_nas.progress import reported
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def calibrate(
    folder: Path,
    work: Path,
    *,
    scenario: Scenario,
    order: Order,
    knobs: tuple[Knob, ...],
    project: Artifact,
    features: Artifact,
    images: Split,
    later_features: Artifact | None,
    seed: int,
    compiler: HostCompiler,
) -> dict[str, Json]:
    """What ``scenarios.tuning.Tuned`` says, and on how many ``streams``.

    ``later_features`` are of the same ``images`` as they come to look, where the scenario makes them look otherwise.
    """
    from scenarios.run import calibrate as tuned

    program = compiler.model(project.path)
    field = divided(scenario, features, later_features, images)
    with reported("calibrate") as report:
        found = tuned(scenario, order, program, field, knobs, seed, report)
    return {**asdict(found), "streams": scenario.tuning_repetitions}
