"""The pipeline: what is done to what, in which order. How each stage runs is in ``stages``."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Literal

from scenarios.none import NoScenario
from tinyml_nas.design.memory.mcu import McuMemory
from tinyml_nas.design.memory.tybox import TyboxMemory
from tinyml_nas.pipeline.context import Context, deliver
from tinyml_nas.pipeline.stages import deployment, networks, program
from tinyml_nas.pipeline.stages.supernet import train_supernet
from tinyml_nas.search.base import Infeasible
from tinyml_nas.store.entries import Store, describe
from tinyml_nas.study import Study
from tinyml_nas.types import CppProject, MemoryReport, Omega, Result, TorchModel

Metrics = dict[str, Any]


def run(study: Study) -> Result:
    """Carry out the study's task."""
    context = Context(study, Store(study.store_dir))
    if study.task == "train_supernet":
        return _result(context, "ok", {"validation_accuracy": train_supernet(context)})
    metrics: Metrics = {}
    try:
        fits = deploy(context, metrics)
    except Infeasible as misses:
        metrics["search"] = {
            **networks.tally(misses.evaluations, misses.failures),
            "exceeds": {limit.name: limit.used - limit.allowed for limit in misses.exceeded},
        }
        fits = False
    return _result(context, "ok" if fits else "infeasible", metrics)


def deploy(context: Context, metrics: Metrics) -> bool:
    """From images to the program in the field. Fills ``metrics``; False where Ω does not fit."""
    study = context.study

    network = _given(context, metrics) if study.network else _found(context, metrics)
    metrics["network"] = {
        "parameters": network.parameters,
        "macs": network.macs,
        "validation_accuracy": network.accuracy,
        "test_images": len(context.images("test")),
    }

    keras = deployment.convert(context, network)
    extractor = deployment.quantize(context, keras, network.resolution)  # Φ_f, Φ_c
    omega = deployment.design(context, extractor, study.memory)  # Ω
    as_program = deployment.design(context, extractor, McuMemory(omega.buffer_samples))
    metrics["omega"] = {
        "resolution": network.resolution,
        "features": extractor.features,
        "dtype": extractor.dtype,
        "memory_model": omega.memory.model,
        "buffer_samples": omega.buffer_samples,
    }
    metrics["memory"] = {
        "tybox": _memory(deployment.design(context, extractor, TyboxMemory()).memory),
        "mcu": _memory(deployment.design(context, extractor, McuMemory()).memory),
        omega.memory.model: _memory(omega.memory),
    }
    metrics["program"] = _memory(as_program.memory)
    if not (omega.memory.fits and as_program.memory.fits):
        return False

    shipped = _program(context, omega, study.learner)
    deliver(shipped.artifact, study.output_dir / "project")
    metrics["program"] |= {
        "arena_bytes": shipped.planned["arena"],
        "arena_unfused_bytes": shipped.planned["arena_unfused"],
        "fused_blocks": shipped.planned["fused_blocks"],
        "linked_bytes": program.link(context, shipped).linked,
    }
    test = program.observe(context, omega, shipped, "test")
    metrics["test_accuracy"]["deployed"] = program.score(context, shipped, test)
    if not isinstance(study.scenario, NoScenario):
        other = _program(context, omega, study.baseline)
        metrics["scenario"] = {
            _name(study.learner): program.drive(context, shipped, test),
            f"{_name(study.baseline)} (baseline)": program.drive(context, other, test),
        }
    return True


def _found(context: Context, metrics: Metrics) -> TorchModel:
    """A network that is searched, trained and pruned here."""
    study = context.study
    chosen, counts = networks.search(context)
    inherited = networks.inherit(context, chosen.architecture)
    baseline = networks.finetune(context, inherited)  # Υ
    pruned = networks.prune(context, baseline)
    if pruned.artifact.digest == baseline.artifact.digest:
        pruned = baseline  # and not trained again
    else:
        pruned = networks.finetune(context, pruned)  # Φ
    stages = {"float": baseline, "pruned": pruned}
    metrics["search"] = {**counts, "inherited_accuracy": chosen.accuracy}
    metrics["training"] = {
        name: {
            "hardware": model.hardware,
            "steps": int(model.curve[-1]["step"]) if model.curve else 0,
            "seconds": round(sum(entry["seconds"] for entry in model.curve)),
            "loss": [round(entry["loss"], 4) for entry in model.curve],
        }
        for name, model in stages.items()
    }
    metrics["size_bytes"] = {name: model.size_bytes for name, model in stages.items()}
    metrics["test_accuracy"] = {
        name: networks.accuracy(context, model, "test") for name, model in stages.items()
    }
    deliver(pruned.artifact, study.output_dir / "network")
    return pruned


def _given(context: Context, metrics: Metrics) -> TorchModel:
    """The network that the study names: it is neither searched nor trained."""
    network = networks.given(context)
    metrics["size_bytes"] = {"float": network.size_bytes}
    metrics["test_accuracy"] = {"float": networks.accuracy(context, network, "test")}
    return network


def _program(context: Context, omega: Omega, learner: Any) -> CppProject:
    """Ω's program with a learner, at the learning rate that does best on validation streams."""
    rates = learner.learning_rates
    if isinstance(context.study.scenario, NoScenario):
        return program.generate(context, omega, learner, rates[len(rates) // 2])
    draft = program.generate(context, omega, learner, rates[0])
    validation = program.observe(context, omega, draft, "validation")
    rate = program.calibrate(context, learner, draft, validation)
    return program.generate(context, omega, learner, rate)


def _name(learner: Any) -> str:
    return type(learner).__name__.lower()


def _memory(report: MemoryReport) -> Metrics:
    """Bytes used of each memory's limit, the buffer they leave, and what is missing."""
    rows: Metrics = {"buffer_samples": report.buffer_samples, "sample_bytes": report.sample_bytes}
    for memory, limit in report.limits.items():
        rows[f"{memory}_bytes"] = report.used(memory)
        rows[f"{memory}_limit_bytes"] = limit
        rows[f"{memory}_parts"] = report.parts[memory]
    rows["missing_bytes"] = report.shortfall
    return rows


def _result(context: Context, status: Literal["ok", "infeasible"], metrics: Metrics) -> Result:
    packages = ("torch", "tensorflow-cpu", "keras", "numpy", "tflite-micro")
    study = context.study
    provenance = {
        "task": study.task,
        "seed": study.seed,
        "dataset": study.dataset.digest(),
        "dataset_name": type(study.dataset).__name__,
        "recipe": describe(study.finetune),
        "stages": dict(context.digests),
        "versions": {name: version(name) for name in packages},
    }
    return Result(status, metrics, study.overrides, provenance)
