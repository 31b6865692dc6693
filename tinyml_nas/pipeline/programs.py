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
    statistics = None
    if learner.needs_statistics:
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


def _statistics(
    context: Context,
    study: Study,
    omega: Omega,
    learner: Learner,
    class_names: tuple[str, ...],
    rows: Rows | None,
) -> Artifact:
    """Of the training features, by a program around the same extractor that needs none."""
    plain = TinyOL(max_classes=learner.max_classes)
    draft_of = omega_of(study, omega.extractor, plain, class_names)
    draft = program_of(context, study, draft_of, plain, {}, class_names, rows)
    return artifact_of(
        context.run(
            summarise,
            program=extractor_part(draft),
            extractor=omega.extractor,
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
