"""The pipeline: what is done to what, in which order, and what each stage is given."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from codegen.learners.base import Learner, name_of
from tinyml_nas.design.omega import OmegaSize
from tinyml_nas.design.taps.base import Taps
from tinyml_nas.network.own import kind_of
from tinyml_nas.network.shipped import NETWORKS, SPEC_FILE
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pipeline import bounds, compression, field_metrics, metrics, trainings
from tinyml_nas.pipeline.artifacts import network_files, single_file
from tinyml_nas.pipeline.choice import Choice, choose
from tinyml_nas.pipeline.compilers import HostCompiler, host_compiler
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.delivery import deliver_files, deliver_project
from tinyml_nas.pipeline.fieldwork import Fieldwork, fieldwork_of
from tinyml_nas.pipeline.metrics import Metrics
from tinyml_nas.pipeline.own_network import brought
from tinyml_nas.pipeline.programs import features_of, linked, program_of
from tinyml_nas.pipeline.results import (
    accuracy_of,
    artifact_of,
    candidate_of,
    model_of,
)
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.accuracy import accuracy
from tinyml_nas.pipeline.stages.given import given
from tinyml_nas.pipeline.stages.inherit import inherit
from tinyml_nas.pipeline.stages.portray import portray
from tinyml_nas.pipeline.stages.score import score
from tinyml_nas.pipeline.stages.search import search
from tinyml_nas.pipeline.variants import Variant, Variants
from tinyml_nas.pipeline.withdraw import withdraw
from tinyml_nas.search.base import Infeasible
from tinyml_nas.store.entries import Store
from tinyml_nas.study import Study
from tinyml_nas.supernet.checkpoint import checkpoint_path
from tinyml_nas.types import Result, TorchModel


def run(study: Study) -> Result:
    """Carry out the study's task; what an earlier run of the name left is no part of the result."""
    started = time.monotonic()
    context = Context(Store(study.store_dir))
    try:
        result = _run(context, study)
    except Exception:  # whoever interrupts it gets no verdict, and keeps what lies there
        withdraw(study.output_dir, context.delivered)
        raise
    withdraw(study.output_dir, context.delivered)
    return replace(result, took=metrics.took(time.monotonic() - started, context.took))


def _run(context: Context, study: Study) -> Result:
    status: Literal["ok", "infeasible"] = "ok"
    found: Metrics = {}
    if study.task == "train_supernet":
        reached = trainings.supernet(context, study)
        images = study.dataset.count("validation")
        found["validation_accuracy"] = {
            name: metrics.accuracy(share, images) for name, share in reached.items()
        }
    elif study.task == "train_teacher":
        images = study.dataset.count("validation")
        found["validation_accuracy"] = metrics.accuracy(trainings.teacher(context, study), images)
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
    validation, test = Split(study.dataset, "validation"), Split(study.dataset, "test")
    compiler = host_compiler(context.store.root / "host")
    variant_of = _variants(context, study, found, compiler)
    if variant_of is None:
        return False
    choice, tables = choose(study, variant_of)
    omega, network = choice.omega, choice.variant.network  # Ω
    extractor = choice.variant.extractor  # Φ_f, Φ_c
    found |= {"network": metrics.network(network, study.dataset), **tables}
    found["omega"] = metrics.extractor(network, extractor) | metrics.buffer(choice.size)
    found["memory"] = metrics.memory(choice.size)
    if not choice.size.fits:
        return False

    knobs = choice.tuned.get("values", {})
    names = study.dataset.class_names
    shipped = program_of(context, study, omega, choice.learner, knobs, names)
    deliver_project(
        shipped.artifact, study.output_dir / "project", overwrite=study.project.overwrite
    )
    context.delivered.add("project")
    found["program"] = metrics.program(linked(context, omega, shipped))
    deployed = {}
    for images in (validation, test):
        features = features_of(context, study, extractor, shipped, images, compiler)
        scored = context.run(
            score, project=shipped.artifact, features=features, images=images, compiler=compiler
        )
        deployed[images.name] = metrics.accuracy(
            accuracy_of(scored), study.dataset.count(images.name)
        )
    found["test_accuracy"]["deployed"] = deployed["test"]
    portrayed = context.run(portray, scored=artifact_of(scored), images=test)
    found["confusion"] = metrics.confusion(portrayed, names)
    deliver_files(artifact_of(portrayed), study.output_dir)
    found["quantization"] = metrics.quantization(
        found["network"]["validation_accuracy"], deployed["validation"], extractor
    )
    if choice.variant.fieldwork is not None:
        found["scenario"] = _compared(choice.variant.fieldwork, choice)
    return True


def _variants(
    context: Context, study: Study, found: Metrics, compiler: HostCompiler
) -> Callable[[Taps, Learner], Variant] | None:
    """What taps and a learner make of the study's network; None where that cannot fit."""
    if study.network is not None and kind_of(study.network):
        network, extractor = brought(context, study, found)
        fieldwork = fieldwork_of(context, study, extractor, compiler)
        own = Variant(None, network, extractor, fieldwork)
        return lambda _taps, _learner: own
    model = (_given if study.network else _found)(context, study, found)
    return None if model is None else Variants(context, study, model, compiler).of


def _compared(fieldwork: Fieldwork, choice: Choice) -> Metrics:
    """Learner and baseline in the same scenario, on the same streams; alone, if the baseline does not fit."""
    baseline = fieldwork.study.baseline
    omega = fieldwork.omega(baseline)
    roles = {"learner": choice}
    if omega.size.fits:
        tuned = fieldwork.tune(baseline, omega)
        roles["baseline"] = replace(
            choice, name=name_of(baseline), learner=baseline, started=omega, tuned=tuned
        )
    outcomes = {
        role: fieldwork.drive(fieldwork.program(one.learner, one.started, one.tuned["values"]))
        for role, one in roles.items()
    }
    driven = {
        role: field_metrics.driven(one.learner, one.started.size, one.tuned, outcomes[role])
        for role, one in roles.items()
    }
    told = field_metrics.scenario(fieldwork.study, fieldwork.scenario, outcomes["learner"])
    if not omega.size.fits:
        return told | driven | {"baseline": field_metrics.unfit(baseline, omega.size)}
    return told | driven | {"difference": field_metrics.compared(*outcomes.values())}


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
    if _is_too_large(bounds.of_space(study), found):
        return None
    exceeded = bounds.of_search(study)
    if exceeded:
        found["search"] = metrics.hopeless(exceeded)
        return None
    searched = context.run(
        search,
        strategy=study.search,
        board=study.device,
        expected=bounds.searched(study),
        seed=study.seed,
        **supernet,
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
    recovery = compression.after_pruning(context, study, supernet, own, baseline)
    pruned = compression.pruned(context, study, baseline, recovery)  # Φ
    models = {"float": baseline, "pruned": pruned}
    found["training"] = {name: metrics.training(model) for name, model in models.items()}
    found["size_bytes"] = {name: model.size_bytes for name, model in models.items()}
    found["pruning"] = metrics.pruning(baseline, pruned)
    found["test_accuracy"] = {
        name: metrics.accuracy(
            accuracy_of(context.run(accuracy, network=model.artifact, images=test)),
            study.dataset.count("test"),
        )
        for name, model in models.items()
    }
    deliver_files(pruned.artifact, study.output_dir / "network")
    context.delivered.add("network")
    return pruned


def _given(context: Context, study: Study, found: Metrics) -> TorchModel | None:
    """The network that the study names, neither searched nor trained; None where it cannot fit."""
    assert study.network is not None
    folder = NETWORKS.folder(study.network)
    files = network_files(folder)
    found |= metrics.card(folder)
    validation, test = Split(study.dataset, "validation"), Split(study.dataset, "test")
    network = model_of(context.run(given, network=files, validation=validation))
    found["size_bytes"] = {"float": network.size_bytes}
    spec = NetworkSpec.from_json((network.artifact.path / SPEC_FILE).read_text(encoding="utf-8"))
    if _is_too_large(bounds.too_large(study, spec), found):
        return None
    scored = context.run(accuracy, network=network.artifact, images=test)
    found["test_accuracy"] = {
        "float": metrics.accuracy(accuracy_of(scored), study.dataset.count("test"))
    }
    return network


def _is_too_large(size: OmegaSize | None, found: Metrics) -> bool:
    """Whether Ω was found to be too large by the shapes of its network; then ``found`` says how."""
    if size is None:
        return False
    found["omega"] = {"planned_from": "shapes", **metrics.buffer(size)}
    found["memory"] = metrics.memory(size)
    return True
