"""Ω in the field: learner and baseline, each tuned on validation streams, driven through the same scenario."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.learners.base import Learner, widened
from scenarios.base import Rows, Scenario
from scenarios.worlds.none import NoScenario
from tinyml_nas.design.omega import Omega
from tinyml_nas.pipeline.compilers import HostCompiler
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.metrics import Metrics
from tinyml_nas.pipeline.programs import (
    features_of,
    learner_alone,
    omega_of,
    plain_program,
    program_of,
)
from tinyml_nas.pipeline.results import extractor_of
from tinyml_nas.pipeline.shifted import Shifted
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.calibrate import calibrate
from tinyml_nas.pipeline.stages.drive import drive
from tinyml_nas.pipeline.stages.rearrange import rearrange
from tinyml_nas.study import Study
from tinyml_nas.types import Artifact, CppProject, Extractor

Knobs = dict[str, float]


@dataclass(frozen=True)
class Fieldwork:
    """A study's extractor where it works; ``extractor`` has the network's own head."""

    context: Context
    study: Study
    scenario: Scenario
    extractor: Extractor
    compiler: HostCompiler

    def omega(self, learner: Learner) -> Omega:
        """Ω with the head that the scenario starts with."""
        extractor = self.extractor
        if self._rows is not None:
            run = self.context.run(rearrange, extractor=extractor, rows=self._rows)
            extractor = extractor_of(run)
        return omega_of(self.study, extractor, self._ready(learner), self.study.field.class_names)

    def tune(self, learner: Learner, omega: Omega) -> Metrics:
        """The learner's knobs, how well it does with them on validation streams, and all that was tried.

        It is the program's own learner, alone with features of the program's extractor.
        """
        context, study = self.context, self.study
        images, names = Split(study.field, "validation"), study.field.class_names
        ready, extractor = self._ready(learner), omega.extractor
        alone = learner_alone(context, study, omega, ready, names, self._rows)
        plain = plain_program(context, study, extractor, ready.max_classes, names, self._rows)
        return dict(
            context.run(
                calibrate,
                scenario=self.scenario,
                order=study.stream,
                knobs=learner.knobs(),
                project=alone,
                features=self._features(plain, images),
                images=images,
                later_features=self._later(plain, images),
                seed=study.seed,
                compiler=self.compiler,
            ).value
        )

    def program(self, learner: Learner, omega: Omega, knobs: Knobs) -> CppProject:
        """Ω's program at these values."""
        names, ready = self.study.field.class_names, self._ready(learner)
        return program_of(self.context, self.study, omega, ready, knobs, names, self._rows)

    def drive(self, project: CppProject) -> Metrics:
        """What the scenario makes of a program."""
        images = Split(self.study.field, "test")
        pool = None
        if self.scenario.pool != images.name:
            pool = Split(self.study.field, self.scenario.pool)
        return dict(
            self.context.run(
                drive,
                scenario=self.scenario,
                order=self.study.stream,
                project=project.artifact,
                features=self._features(project, images),
                images=images,
                later_features=self._later(project, images),
                pool_features=None if pool is None else self._features(project, pool),
                pool_images=pool,
                seed=self.study.seed,
                compiler=self.compiler,
            ).value
        )

    @property
    def _rows(self) -> Rows | None:
        """Of the network's head, those that the program starts with; None where it is as it ships."""
        data, field = self.study.dataset, self.study.field
        rows = self.scenario.rows(data, field)
        return None if rows == tuple(range(field.classes)) else rows

    def _ready(self, learner: Learner) -> Learner:
        """The learner, with room for the classes that join."""
        return learner if self._rows is None else widened(learner, self.study.field.classes)

    def _later(self, project: CppProject, images: Split) -> Artifact | None:
        """Features of the images as they come to look; None where they look the same all along."""
        look = self.scenario.look
        if look is None:
            return None
        return self._features(project, Split(Shifted(images.dataset, look), images.name))

    def _features(self, project: CppProject, images: Split) -> Artifact:
        # The same for every head: all programs share what was observed once.
        return features_of(self.context, self.study, self.extractor, project, images, self.compiler)


def fieldwork_of(
    context: Context, study: Study, extractor: Extractor, compiler: HostCompiler
) -> Fieldwork | None:
    """The study's, None where it has no scenario."""
    if isinstance(study.scenario, NoScenario):
        return None
    return Fieldwork(context, study, study.scenario, extractor, compiler)
