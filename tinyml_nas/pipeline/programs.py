"""From an extractor and a learner to Ω, its program, and what the program sees of images."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.learners.base import Learner, tuned
from tinyml_nas.design.omega import Omega, design
from tinyml_nas.pipeline.compilers import HostCompiler, target_compiler
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.results import artifact_of, extractor_part, linked_of, project_of
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.generate import generate
from tinyml_nas.pipeline.stages.link import link
from tinyml_nas.pipeline.stages.observe import observe
from tinyml_nas.study import Study
from tinyml_nas.types import Artifact, CppProject, Extractor


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
) -> CppProject:
    """Ω's program, with these of the learner's knobs at other values than its own."""
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
