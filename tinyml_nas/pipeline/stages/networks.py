"""Stages on torch networks: search, inherit, fine-tune, prune, and the accuracy of each."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_nas.network.shipped import FILES, network_folder
from tinyml_nas.pipeline.context import Context
from tinyml_nas.progress import reported
from tinyml_nas.store.entries import Entry, Json, describe, digest_of
from tinyml_nas.training.recipes import DistilledRecipe
from tinyml_nas.types import Architecture, Artifact, Candidate, Footprint, SplitName, TorchModel


def search(context: Context) -> tuple[Candidate, dict[str, Any]]:
    """The chosen architecture, and ``tally`` of the search.

    The whole archive and front are kept beside it in ``search.json``.

    Raises:
        Infeasible: no evaluated network keeps the limits.
    """
    study = context.study

    def build(folder: Path, work: Path) -> dict[str, Json]:
        found = study.search.search(_problem(context), np.random.default_rng(study.seed), work)
        (folder / "search.json").write_text(json.dumps(asdict(found), indent=1))
        counts = tally(len(found.archive), found.failures)
        return {"chosen": asdict(found.chosen), "counts": counts}

    config: Json = {
        "supernet": describe(study.supernet),
        "search": describe(study.search),
        "device": describe(study.device),
        "seed": study.seed,
    }
    entry = context.run(
        "search", build, config, {**context.data, **_checkpoint(context)}, version=3
    )
    value: dict[str, Any] = dict(entry.value)
    chosen = value["chosen"]
    architecture = Architecture(
        tuple(chosen["architecture"]["genes"]), chosen["architecture"]["resolution"]
    )
    footprint = Footprint(**chosen["footprint"])
    return Candidate(architecture, chosen["accuracy"], footprint), value["counts"]


def tally(evaluations: int, failures: dict[str, int]) -> dict[str, Any]:
    """How many networks a search evaluated, how many it could not, and why: a count by reason."""
    return {"evaluations": evaluations, "failed": sum(failures.values()), "failures": failures}


def inherit(context: Context, architecture: Architecture) -> TorchModel:
    """The architecture as a network of its own, with the supernet's weights."""
    study = context.study

    def build(folder: Path, work: Path) -> dict[str, Json]:
        network = _problem(context).inherit(np.array(architecture.genes, dtype=np.int64))
        return _save(context, network, folder)

    config: Json = {"supernet": describe(study.supernet), "genes": list(architecture.genes)}
    inputs = {**context.data, **_checkpoint(context)}
    return _model(context.run("inherit", build, config, inputs, version=2))


def given(context: Context) -> TorchModel:
    """The study's network that comes trained: a shipped one, or what another run left.

    Raises:
        NoSuchNetworkError: there is none of that name.
        NetworkFileError: its files are damaged.
    """
    assert context.study.network is not None
    source = network_folder(context.study.network)

    def build(folder: Path, work: Path) -> dict[str, Json]:
        from tinyml_nas.network.files import load

        return _save(context, load(source), folder)

    inputs = {**context.data, "network": digest_of(source, FILES.__contains__)}
    return _model(context.run("given", build, None, inputs))


def finetune(context: Context, model: TorchModel) -> TorchModel:
    """Train a network on, by the study's recipe; also recovers what pruning lost."""
    study = context.study
    distilled = isinstance(study.finetune, DistilledRecipe)

    def build(folder: Path, work: Path) -> dict[str, Json]:
        from tinyml_nas.network.files import load
        from tinyml_nas.training import loop as training
        from tinyml_nas.training.hardware import hardware

        network = load(model.artifact.path)
        images = context.images("train")
        teacher = _teacher(context) if distilled else None
        with reported("finetune") as report:
            curve = training.finetune(
                network, images, study.finetune, work, study.seed, report, teacher
            )
        made_on = hardware(training.device_of(study.finetune))
        return {**_save(context, network, folder), "curve": curve, "hardware": made_on}

    config: dict[str, Json] = {"recipe": describe(study.finetune), "seed": study.seed}
    inputs = {**context.data, "network": model.artifact.digest}
    if distilled:
        config["supernet"] = describe(study.supernet)
        inputs |= _checkpoint(context)
    return _model(context.run("finetune", build, config, inputs, version=3))


def prune(context: Context, model: TorchModel) -> TorchModel:
    """The smaller network Φ, before it is trained on."""

    def build(folder: Path, work: Path) -> dict[str, Json]:
        from tinyml_nas.network.cost import thesis_size_bytes
        from tinyml_nas.network.files import load

        network = context.study.pruning.prune(load(model.artifact.path), thesis_size_bytes)
        return _save(context, network, folder)

    config = describe(context.study.pruning)
    inputs = {**context.data, "network": model.artifact.digest}
    return _model(context.run("prune", build, config, inputs, version=2))


def accuracy(context: Context, model: TorchModel, split: SplitName) -> float:
    """Top-1 accuracy in [0, 1] of a float network."""

    def build(folder: Path, work: Path) -> dict[str, Json]:
        from tinyml_nas.network.files import load
        from tinyml_nas.training import loop as training

        return {"accuracy": training.accuracy(load(model.artifact.path), context.images(split))}

    inputs = {**context.data, "network": model.artifact.digest}
    value: Any = context.run("accuracy", build, {"split": split}, inputs).value
    return float(value["accuracy"])


def _problem(context: Context) -> Any:
    from tinyml_nas.supernet.files import load_supernet
    from tinyml_nas.supernet.problem import SupernetProblem

    study = context.study
    supernet = load_supernet(study.supernet, study.dataset.classes)
    train, validation = context.images("train"), context.images("validation")
    return SupernetProblem(supernet, train, validation, study.device)


def _teacher(context: Context) -> Any:
    """The supernet's largest network, as it is inherited."""
    problem = _problem(context)
    return problem.inherit(problem.supernet.space.largest())


def _checkpoint(context: Context) -> dict[str, str]:
    from tinyml_nas.supernet.checkpoint import checkpoint_path

    return {"checkpoint": digest_of(checkpoint_path(context.study.supernet))}


def _save(context: Context, network: Any, folder: Path) -> dict[str, Json]:
    from tinyml_nas.network.cost import layers, thesis_size_bytes
    from tinyml_nas.network.files import save
    from tinyml_nas.network.module import spec_of
    from tinyml_nas.training import loop as training

    save(network, folder)
    spec = spec_of(network)
    costs = list(layers(spec))
    return {
        "accuracy": training.accuracy(network, context.images("validation")),
        "size_bytes": thesis_size_bytes(spec),
        "resolution": spec.resolution,
        "parameters": sum(layer.parameters for layer in costs),
        "macs": sum(layer.macs for layer in costs),
    }


def _model(entry: Entry) -> TorchModel:
    value: dict[str, Any] = dict(entry.value)
    value["curve"] = tuple(value.get("curve", ()))
    return TorchModel(Artifact(entry.path, entry.digest), **value)
