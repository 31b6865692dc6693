"""The pipeline: what is done to what, in which order, and what each stage is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from codegen.learners.base import Learner, name_of, tuned
from scenarios.none import NoScenario
from tinyml_nas.design.omega import Omega, OmegaSize, design
from tinyml_nas.network.shipped import NETWORKS, SPEC_FILE
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pipeline import bounds, compression, metrics, trainings
from tinyml_nas.pipeline.artifacts import network_files, single_file
from tinyml_nas.pipeline.compilers import HostCompiler, host_compiler, target_compiler
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.delivery import deliver_files, deliver_project
from tinyml_nas.pipeline.metrics import Metrics
from tinyml_nas.pipeline.results import (
    accuracy_of,
    artifact_of,
    candidate_of,
    extractor_of,
    extractor_part,
    linked_of,
    model_of,
    project_of,
)
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.accuracy import accuracy
from tinyml_nas.pipeline.stages.calibrate import calibrate
from tinyml_nas.pipeline.stages.convert import convert
from tinyml_nas.pipeline.stages.drive import drive
from tinyml_nas.pipeline.stages.generate import generate
from tinyml_nas.pipeline.stages.given import given
from tinyml_nas.pipeline.stages.inherit import inherit
from tinyml_nas.pipeline.stages.link import link
from tinyml_nas.pipeline.stages.observe import observe
from tinyml_nas.pipeline.stages.quantize import quantize
from tinyml_nas.pipeline.stages.score import score
from tinyml_nas.pipeline.stages.search import search
from tinyml_nas.pipeline.withdraw import withdraw
from tinyml_nas.search.base import Infeasible
from tinyml_nas.store.entries import Store
from tinyml_nas.study import Study
from tinyml_nas.supernet.checkpoint import checkpoint_path
from tinyml_nas.types import Artifact, CppProject, Extractor, Result, TorchModel


def run(study: Study) -> Result:
    """Carry out the study's task; what an earlier run of the name left is no part of the result."""
    context = Context(Store(study.store_dir))
    try:
        result = _run(context, study)
    except Exception:
        withdraw(study.output_dir, context.delivered)
        raise
    withdraw(study.output_dir, context.delivered)
    return result


def _run(context: Context, study: Study) -> Result:
    status: Literal["ok", "infeasible"] = "ok"
    found: Metrics = {}
    if study.task == "train_supernet":
        found["validation_accuracy"] = trainings.supernet(context, study)
    elif study.task == "train_teacher":
        found["validation_accuracy"] = trainings.teacher(context, study)
    else:
        try:
            fits = deploy(context, study, found)
        except Infeasible as misses:
            found["search"] = metrics.misses(misses)
            fits = False
        status = "ok" if fits else "infeasible"
    return Result(status, found, study.overrides, metrics.provenance(study, context.done))


def deploy(context: Context, study: Study, found: Metrics) -> bool:
    """From images to the program in the field. Fills ``found``; False where Ω does not fit."""
    train, validation = Split(study.dataset, "train"), Split(study.dataset, "validation")
    test = Split(study.dataset, "test")

    network = (_given if study.network else _found)(context, study, found)
    if network is None:
        return False
    found["network"] = metrics.network(network, study.dataset.count("test"))

    keras = context.run(convert, network=network.artifact, images=validation)
    quantized = context.run(
        quantize,
        keras=artifact_of(keras),
        quantizer=study.quantizer,
        resolution=network.resolution,
        train=train,
    )
    extractor = extractor_of(quantized)  # Φ_f, Φ_c
    omega = _omega(study, extractor, study.learner)  # Ω
    found["omega"] = metrics.extractor(network, extractor) | metrics.buffer(omega.size)
    found["memory"] = metrics.memory(omega.size)
    if not omega.size.fits:
        return False

    compiler = host_compiler(context.store.root / "host")
    shipped = _program(context, study, omega, study.learner, compiler)
    deliver_project(
        shipped.artifact, study.output_dir / "project", overwrite=study.project.overwrite
    )
    context.delivered.add("project")
    found["program"] = metrics.program(_linked(context, omega, shipped))
    features = _features(context, study, omega, shipped, test, compiler)
    scored = context.run(
        score, project=shipped.artifact, features=features, images=test, compiler=compiler
    )
    found["test_accuracy"]["deployed"] = accuracy_of(scored)
    if not isinstance(study.scenario, NoScenario):
        baseline = _omega(study, extractor, study.baseline)
        other = _program(context, study, baseline, study.baseline, compiler)
        found["scenario"] = {
            name: dict(
                context.run(
                    drive,
                    scenario=study.scenario,
                    project=project.artifact,
                    features=features,
                    images=test,
                    seed=study.seed,
                    compiler=compiler,
                ).value
            )
            for name, project in (
                (name_of(study.learner), shipped),
                (f"{name_of(study.baseline)} (baseline)", other),
            )
        }
    return True


def _found(context: Context, study: Study, found: Metrics) -> TorchModel | None:
    """A network that is searched, trained and pruned here; None where it is sure that none fits."""
    validation, test = Split(study.dataset, "validation"), Split(study.dataset, "test")
    trained_weights = checkpoint_path(study.supernet)
    supernet: dict[str, Any] = {
        "supernet": replace(study.supernet, checkpoint=None),  # known by its content instead
        "checkpoint": trained_weights and single_file(trained_weights),
        "classes": study.dataset.classes,
        "train": Split(study.dataset, "train"),
        "validation": validation,
    }
    exceeded = bounds.of_search(study)
    if exceeded:
        found["search"] = metrics.hopeless(exceeded)
        return None
    if _is_too_large(bounds.of_space(study), found):
        return None
    searched = context.run(
        search, strategy=study.search, board=study.device, seed=study.seed, **supernet
    )
    found["search"] = metrics.search(searched)
    chosen = candidate_of(searched)
    genes = np.array(chosen.architecture.genes, dtype=np.int64)
    if _is_too_large(
        bounds.of_trained(study, study.supernet.spec(genes, study.dataset.classes)), found
    ):
        return None
    inherited = model_of(context.run(inherit, genes=chosen.architecture.genes, **supernet))
    own = compression.before_pruning(context, study, supernet)
    baseline = compression.trained(context, study, inherited.artifact, own)  # Υ
    recovery = compression.after_pruning(study, own, baseline)
    pruned = compression.pruned(context, study, baseline, recovery)  # Φ
    models = {"float": baseline, "pruned": pruned}
    found["training"] = {name: metrics.training(model) for name, model in models.items()}
    found["size_bytes"] = {name: model.size_bytes for name, model in models.items()}
    found["test_accuracy"] = {
        name: accuracy_of(context.run(accuracy, network=model.artifact, images=test))
        for name, model in models.items()
    }
    deliver_files(pruned.artifact, study.output_dir / "network")
    context.delivered.add("network")
    return pruned


def _given(context: Context, study: Study, found: Metrics) -> TorchModel | None:
    """The network that the study names, neither searched nor trained; None where it cannot fit."""
    assert study.network is not None
    files = network_files(NETWORKS.folder(study.network))
    validation, test = Split(study.dataset, "validation"), Split(study.dataset, "test")
    network = model_of(context.run(given, network=files, validation=validation))
    found["size_bytes"] = {"float": network.size_bytes}
    spec = NetworkSpec.from_json((network.artifact.path / SPEC_FILE).read_text(encoding="utf-8"))
    if _is_too_large(bounds.too_large(study, spec), found):
        return None
    scored = context.run(accuracy, network=network.artifact, images=test)
    found["test_accuracy"] = {"float": accuracy_of(scored)}
    return network


def _is_too_large(size: OmegaSize | None, found: Metrics) -> bool:
    """Whether Ω was found to be too large by the shapes of its network; then ``found`` says how."""
    if size is None:
        return False
    found["omega"] = {"planned_from": "shapes", **metrics.buffer(size)}
    found["memory"] = metrics.memory(size)
    return True


def _omega(study: Study, extractor: Extractor, learner: Learner) -> Omega:
    """Ω with the buffer that board, memory model and learner allow."""
    return design(extractor, learner, study.device, study.memory, study.dataset.class_names)


def _program(
    context: Context, study: Study, omega: Omega, learner: Learner, compiler: HostCompiler
) -> CppProject:
    """Ω's program with a learner, its knobs at what does best on validation streams."""

    def generated(values: Mapping[str, float]) -> CppProject:
        return project_of(
            context.run(
                generate,
                name=study.project.name,
                extractor=omega.extractor,
                learner=tuned(learner, values),
                buffer_samples=omega.size.buffer_samples,
                board=omega.size.program.board,
                class_names=study.dataset.class_names,
                images=Split(study.dataset, "test"),
                golden_images=study.project.golden_images,
                reported=omega.size.reports["mcu"].parts,
            )
        )

    if isinstance(study.scenario, NoScenario):
        return generated({})
    draft, validation = generated({}), Split(study.dataset, "validation")
    calibrated: Any = context.run(
        calibrate,
        scenario=study.scenario,
        knobs=learner.knobs(),
        project=draft.artifact,
        features=_features(context, study, omega, draft, validation, compiler),
        images=validation,
        seed=study.seed,
        compiler=compiler,
    ).value
    return generated(calibrated["values"])


def _features(
    context: Context,
    study: Study,
    omega: Omega,
    project: CppProject,
    images: Split,
    compiler: HostCompiler,
) -> Artifact:
    """What the program's extractor makes of a split."""
    return artifact_of(
        context.run(
            observe,
            program=extractor_part(project),
            extractor=omega.extractor,
            images=images,
            checked_images=study.project.oracle_images,
            compiler=compiler,
        )
    )


def _linked(context: Context, omega: Omega, project: CppProject) -> CppProject:
    """The project with the bytes of its linked ELF, if the board's compiler is installed."""
    compiler = target_compiler()
    if compiler is None:
        return project
    board = omega.size.program.board
    entry = context.run(link, project=project.artifact, board=board, compiler=compiler)
    return linked_of(entry, project)
