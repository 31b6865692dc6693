"""From an extractor and a learner to Ω, its program, and what the program sees of images."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.learners.base import Learner, tuned
from codegen.learners.tinyol import TinyOL
from scenarios.base import Rows
from tinyml_nas.design.omega import Omega, design
from tinyml_nas.pipeline.compilers import HostCompiler, host_compiler, target_compiler
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.results import artifact_of, extractor_part, linked_of, project_of
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.generate import generate
from tinyml_nas.pipeline.stages.isolate import isolate
from tinyml_nas.pipeline.stages.link import link
from tinyml_nas.pipeline.stages.observe import observe
from tinyml_nas.pipeline.stages.summarise import summarise
from tinyml_nas.study import Study
from tinyml_nas.types import Artifact, CppProject, Extractor

STATISTICS_IMAGES = 4000
"""Training images whose features' moments a learner starts from."""


def omega_of(
    study: Study, extractor: Extractor, learner: Learner, class_names: tuple[str, ...]
) -> Omega:
    """Ω with the buffer that board, memory model and learner allow."""
    return design(extractor, learner, study.device, study.memory, class_names)


def program_of(
    context: Context,
    study: Study,
    omega: Omega,
    learner: Learner,
    knobs: Mapping[str, float],
    class_names: tuple[str, ...],
    rows: Rows | None = None,
) -> CppProject:
    """Ω's program, with these of the learner's knobs at other values than its own.

    ``rows`` are the classes of the data set that its head knows, None for all.
    """
    statistics = _statistics(context, study, omega, learner, class_names, rows)
    return project_of(
        context.run(
            generate,
            name=study.project.name,
            extractor=omega.extractor,
            learner=tuned(learner, knobs),
            buffer_samples=omega.size.buffer_samples,
            board=omega.size.program.board,
            class_names=class_names,
            images=Split(study.dataset, "test"),
            golden_images=study.project.golden_images,
            reported=omega.size.reports["mcu"].parts,
            statistics=statistics,
        )
    )


def learner_alone(
    context: Context,
    study: Study,
    omega: Omega,
    learner: Learner,
    class_names: tuple[str, ...],
    rows: Rows | None,
) -> Artifact:
    """The project of Ω's learner by itself: it is given features, and takes a second to compile."""
    entry = context.run(
        isolate,
        extractor=omega.extractor,
        learner=learner,
        buffer_samples=omega.size.buffer_samples,
        board=omega.size.program.board,
        statistics=_statistics(context, study, omega, learner, class_names, rows),
    )
    return Artifact(entry.path / "project", entry.digest)


def plain_program(
    context: Context,
    study: Study,
    extractor: Extractor,
    max_classes: int | None,
    class_names: tuple[str, ...],
    rows: Rows | None,
) -> CppProject:
    """A program around the extractor whose learner needs to know nothing of it: what features are made by."""
    plain = TinyOL(max_classes=max_classes)
    omega = omega_of(study, extractor, plain, class_names)
    return program_of(context, study, omega, plain, {}, class_names, rows)


def _statistics(
    context: Context,
    study: Study,
    omega: Omega,
    learner: Learner,
    class_names: tuple[str, ...],
    rows: Rows | None,
) -> Artifact | None:
    """Of the training features; None for a learner that needs none."""
    if not learner.needs_statistics:
        return None
    extractor, classes = omega.extractor, learner.max_classes
    plain = plain_program(context, study, extractor, classes, class_names, rows)
    return artifact_of(
        context.run(
            summarise,
            program=extractor_part(plain),
            extractor=extractor,
            images=Split(study.dataset, "train"),
            rows=rows,
            most_images=STATISTICS_IMAGES,
            compiler=host_compiler(context.store.root / "host"),
        )
    )


def features_of(
    context: Context,
    study: Study,
    extractor: Extractor,
    project: CppProject,
    images: Split,
    compiler: HostCompiler,
) -> Artifact:
    """What the program's extractor makes of a split."""
    return artifact_of(
        context.run(
            observe,
            program=extractor_part(project),
            extractor=extractor,
            images=images,
            checked_images=min(study.project.oracle_images, images.dataset.count(images.name)),
            compiler=compiler,
        )
    )


def linked(context: Context, omega: Omega, project: CppProject) -> CppProject:
    """The project with the bytes of its linked ELF, if the board's compiler is installed."""
    compiler = target_compiler()
    if compiler is None:
        return project
    board = omega.size.program.board
    entry = context.run(link, project=project.artifact, board=board, compiler=compiler)
    return linked_of(entry, project)
