"""Tune the learner's knobs on validation streams."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from codegen.learners.base import Knob
from scenarios.base import Order, Scenario
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
    order: Order,
    knobs: tuple[Knob, ...],
    project: Artifact,
    features: Artifact,
    images: Split,
    seed: int,
    compiler: HostCompiler,
) -> dict[str, Json]:
    """What ``scenarios.tuning.Tuned`` says, and on how many ``streams``."""
    from scenarios.field import divide
    from scenarios.run import calibrate as tuned

    program, split = compiler.model(project.path), samples(features, images)
    classes = images.dataset.classes
    field = divide(split, classes, scenario.samples, scenario.curve_images)
    with reported("calibrate") as report:
        found = tuned(scenario, order, program, field, knobs, seed, report)
    return {**asdict(found), "streams": scenario.tuning_repetitions}
