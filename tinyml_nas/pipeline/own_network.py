"""A network that the user brings takes the place of search, training and pruning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyml_nas.network.own import Kind, kind_of
from tinyml_nas.pipeline import metrics, trainings
from tinyml_nas.pipeline.artifacts import single_file
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.delivery import deliver_files
from tinyml_nas.pipeline.metrics import Metrics
from tinyml_nas.pipeline.results import accuracy_of, artifact_of, brought_of, extractor_of
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.adopt import adopt
from tinyml_nas.pipeline.stages.extract import extract
from tinyml_nas.pipeline.stages.finetune import finetune
from tinyml_nas.pipeline.stages.judge import judge
from tinyml_nas.pipeline.stages.quantize import quantize
from tinyml_nas.store.entries import Entry
from tinyml_nas.study import Study
from tinyml_nas.training.recipes import DistilledRecipe
from tinyml_nas.types import Artifact, Extractor, TorchModel


def brought(context: Context, study: Study, found: Metrics) -> tuple[TorchModel, Extractor]:
    """What the network is, and its extractor as it is deployed. Fills ``found``."""
    assert study.network is not None
    kind = kind_of(study.network)
    assert kind is not None
    if kind == "torch":
        taken = _of_module(context, study, found)
    else:
        file = single_file(Path(study.network).expanduser())
        taken = _extracted(context, study, file, kind)
    extractor = extractor_of(taken)
    scores = {
        name: accuracy_of(
            context.run(judge, extractor=extractor, images=Split(study.dataset, name))
        )
        for name in ("validation", "test")
    }
    network = brought_of(taken, scores["validation"])
    found["size_bytes"] = {"float": network.size_bytes}
    name = "float" if extractor.dtype == "float32" else "given"
    found["test_accuracy"] = {name: metrics.accuracy(scores["test"], study.dataset.count("test"))}
    if compared := metrics.conversion(taken):
        found["conversion"] = compared
    if extractor.dtype == "float32":
        extractor = extractor_of(
            context.run(
                quantize,
                keras=extractor.artifact,
                quantizer=study.quantizer,
                resolution=network.resolution,
                train=Split(study.dataset, "train"),
            )
        )
    return network, extractor


def _of_module(context: Context, study: Study, found: Metrics) -> Entry:
    """A torch module's extractor: converted before it is trained, so that a layer that cannot be is told at once."""
    from tinyml_nas.network.user import taken

    given = study.network_input
    module = taken(
        study.network or "",
        given.side((None, None, given.channels)),
        given.seen(),
        study.dataset.classes,
        learns=study.network_finetune,
    )
    network = artifact_of(context.run(adopt, module=module))
    extracted = _extracted(context, study, network, "torch")
    if not study.network_finetune:
        return extracted
    recipe, said = replace(study.finetune, keep_inherited=False).before_pruning(), None
    if isinstance(recipe, DistilledRecipe):
        said = trainings.answers_of(context, study, recipe)
        recipe = replace(recipe, teacher="")  # known by its answers instead
    trained = context.run(
        finetune,
        network=network,
        teacher=None,
        answers=said,
        recipe=recipe,
        train=Split(study.dataset, "train"),
        validation=Split(study.dataset, "validation"),
        seed=study.seed,
    )
    value: Any = trained.value
    found["training"] = {"float": metrics.trained(value["curve"], value["hardware"])}
    deliver_files(artifact_of(trained), study.output_dir / "network")
    context.delivered.add("network")
    return _extracted(context, study, artifact_of(trained), "torch")


def _extracted(context: Context, study: Study, network: Artifact, kind: Kind) -> Entry:
    return context.run(
        extract,
        network=network,
        kind=kind,
        given=study.network_input,
        classes=study.dataset.classes,
        images=Split(study.dataset, "validation"),
    )
