"""What a result says of quantization."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.pipeline import metrics
from tinyml_nas.report.result import flatten, show
from tinyml_nas.types import Artifact, Extractor

LAYERS = {"stem_conv": 31.5, "blocks_0_project_conv": 4.25, "hard_swish": 17.0}
BEFORE, AFTER = metrics.accuracy(0.8856, 5000), metrics.accuracy(0.8802, 5000)


def extractor(layers: dict[str, float]) -> Extractor:
    return Extractor(Artifact(Path("folder"), "c0de"), 48, "int8", 0.05, -3, layers)


def test_the_worst_layer_is_named_and_every_layer_is_kept():
    found = metrics.quantization(BEFORE, AFTER, extractor(LAYERS))
    assert (found["worst_layer"], found["worst_layer_db"]) == ("blocks_0_project_conv", 4.25)
    assert found["features_db"] == 17.0
    assert [(item["layer"], item["db"]) for item in found["layers"]] == list(LAYERS.items())


def test_the_console_has_both_accuracies_and_the_worst_layer_alone():
    found = metrics.quantization(BEFORE, AFTER, extractor(LAYERS))
    shown = {name: show(value) for name, value in flatten({"quantization": found})}
    assert shown == {
        "quantization.validation_accuracy_before": "88.56 %",
        "quantization.validation_accuracy_after": "88.02 %",
        "quantization.features_db": "17",
        "quantization.worst_layer": "blocks_0_project_conv",
        "quantization.worst_layer_db": "4.25",
    }


def test_without_quantization_there_is_no_noise():
    assert metrics.quantization(BEFORE, AFTER, extractor({})) == {
        "validation_accuracy_before": BEFORE,
        "validation_accuracy_after": AFTER,
    }
