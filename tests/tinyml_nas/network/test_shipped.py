"""The networks that are shipped: whole, within their budgets, as accurate as their cards say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from codegen.boards.board import load as load_board
from tinyml_nas.cards.network import card
from tinyml_nas.conversion.keras import convert
from tinyml_nas.data.calibration import calibration_images
from tinyml_nas.interval import wilson
from tinyml_nas.network import files
from tinyml_nas.network.footprint import footprint
from tinyml_nas.network.module import spec_of
from tinyml_nas.network.shipped import NETWORKS, NoSuchNetworkError
from tinyml_nas.pipeline.inputs import network_inputs
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.report.result import read_result
from tinyml_nas.training.loop import accuracy
from tools.remeasure_network import remeasured

NAMES = NETWORKS.names
OMEGA_BYTES = {
    "lite0_801kb": 801_000,
    "omega_1190kb": 1_190_000,
    "omega_801kb": 801_000,
    "omega_256kb": 256_000,
}


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


def test_a_card_follows_from_its_record(name):
    folder = NETWORKS.folder(name)
    record = read_result(folder / "record.json")
    assert (folder / "card.md").read_text() == card(name, record)
    assert not [text for text in record.overrides if "/" in text]


def test_a_network_keeps_its_budget(name):
    spec = spec_of(files.load(NETWORKS.folder(name)))
    if name in OMEGA_BYTES:
        assert footprint(spec, load_board("nucleo_1mb")).omega_bytes <= OMEGA_BYTES[name]
    else:
        board = load_board(name)
        cost = footprint(spec, board)
        assert cost.flash_bytes <= board.flash_bytes
        assert cost.sram_bytes <= board.ram_bytes


def test_a_network_is_as_accurate_as_its_card_says(name, sample):
    """On the 1,000 test images of the sample; the card is of all 10,000."""
    folder = NETWORKS.folder(name)
    claimed = json.loads((folder / "record.json").read_text())["metrics"]["test_accuracy"][
        "pruned"
    ]["value"]
    images = sample.split("test")
    low, high = wilson(accuracy(files.load(folder), images), len(images))
    assert low <= claimed <= high


def test_the_program_is_the_one_that_was_measured(name, sample, tmp_path):
    """Quantized here, on the embedded sample, it has the bytes whose accuracy stands in the card."""
    folder = NETWORKS.folder(name)
    provenance = json.loads((folder / "record.json").read_text())["provenance"]
    network = files.load(folder)
    quantizer = Int8()
    chosen = calibration_images(sample.split("train"), quantizer.calibration_images)
    images = network_inputs(chosen, network.resolution)
    converted = convert(network, images[:1], tmp_path)
    (tmp_path / "int8").mkdir()
    made = quantizer.quantize(converted.artifact.path, images, tmp_path / "int8")
    (measured,) = (s["files"] for s in provenance["stages"] if s["stage"] == "quantize")
    assert made.artifact.digest == measured


def test_a_new_measurement_keeps_what_training_found(name):
    record = read_result(NETWORKS.folder(name) / "record.json")
    was = record.metrics["test_accuracy"]
    half = was["pruned"] | {"value": 0.5}
    run = replace(
        record,
        metrics={"test_accuracy": {"float": was["pruned"], "deployed": half}, "omega": {}},
        overrides=("data.root=/home/me", "store=/tmp/store"),
        provenance={"stages": [{"stage": "quantize"}]},
    )
    found = remeasured(record, run)
    assert found.metrics["test_accuracy"] == was | {"deployed": half}
    assert found.metrics["training"] == record.metrics["training"]
    assert found.metrics.get("scenario") == record.metrics.get("scenario")
    assert found.metrics["omega"] == {}
    assert found.provenance["measured_by"] == ["data.root=DIR"]
    stages = [stage["stage"] for stage in found.provenance["stages"]]
    trained = [stage["stage"] for stage in record.provenance["stages"]]
    assert stages == [*trained[: trained.index("prune") + 1], "quantize"]
    other = replace(run, metrics={"test_accuracy": {"float": half, "deployed": half}})
    with pytest.raises(ValueError, match=r"^not a run of the same weights"):
        remeasured(record, other)


def test_weights_are_stored_in_half_precision(name):
    weights = NETWORKS.folder(name) / "weights.safetensors"
    parameters = sum(p.numel() for p in files.load(weights.parent).parameters())
    assert weights.stat().st_size < 2.3 * parameters


def test_an_unknown_name_is_told_the_shipped_ones():
    with pytest.raises(NoSuchNetworkError, match=r"network: no folder omega_1kb.*omega_801kb"):
        NETWORKS.folder("omega_1kb")
