"""Networks that users bring, through the whole pipeline: all on one store, and of one network, so that routes can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from torch import nn

from tests.support.own_networks import drawn
from tinyml_nas import config
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.network.seen import inputs
from tinyml_nas.network.user import load
from tinyml_nas.pipeline import deploy
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.own_network import brought
from tinyml_nas.store.entries import Store
from tinyml_nas.study import Study
from tinyml_nas.training.loop import accuracy
from tinyml_nas.types import Images, Result, Seen

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
SEEN = (f"network_input.mean={list(MEAN)}", f"network_input.std={list(STD)}")
TINY = (
    "device=nucleo_1mb",
    "memory=mcu",
    "quantizer.calibration_images=20",
    "learner@baseline=tybox",  # the learner itself: one program serves both
    "scenario=stationary",
    "scenario.samples=20",
    "scenario.repetitions=2",
    "scenario.tuning_repetitions=1",
    "scenario.curve_images=50",
    "project.oracle_images=20",
)
CODE = """
from tests.support.own_networks import drawn

def network():
    return drawn("TwoLayerCNN", 3, 4)
"""


@dataclass
class Bench:
    folder: Path
    count: int = 0

    def study(self, *overrides: str) -> Study:
        self.count += 1
        plain = "quantizer=none" in overrides
        tiny = [value for value in TINY if not (plain and value.startswith("quantizer."))]
        with initialize_config_dir(str(config.CONF), version_base="1.3"):
            config.register()
            cfg = compose("config", [*tiny, *overrides, f"store={self.folder / 'store'}"])
        return config.build(cfg, self.folder / str(self.count))

    def run(self, *overrides: str) -> Result:
        return deploy.run(self.study(*overrides))


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def module(bench):
    path = bench.folder / "mine.py"
    path.write_text(CODE)
    return bench.run(f"network={path}:network", "network_input.size=32", *SEEN)


@pytest.fixture(scope="module")
def model():
    from tinyml_nas.conversion.keras import to_keras

    return to_keras(drawn("TwoLayerCNN", 3, 4), (32, 32, 3))


def keys(result, stage):
    return [entry["files"] for entry in result.provenance["stages"] if entry["stage"] == stage]


def test_a_torch_module_becomes_a_program_that_learns(bench, module):
    found = module.metrics
    assert module.status == "ok"
    assert 0 < found["conversion"]["max_abs_error"] < 1e-4
    assert found["conversion"]["checked_images"] >= 500
    network = drawn("TwoLayerCNN", 3, 4)
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    folded = sum(weight.numel() for norm in norms for weight in norm.parameters())
    assert found["network"]["parameters"] == sum(w.numel() for w in network.parameters()) - folded
    assert found["omega"]["dtype"] == "int8"
    assert (
        abs(found["test_accuracy"]["deployed"]["value"] - found["test_accuracy"]["float"]["value"])
        < 0.05
    )
    assert found["scenario"]["learner"]["end"]["n"] == 2
    readme = (bench.folder / "1" / "project" / "README.md").read_text()
    assert "mean 123.675, 116.28, 103.53" in readme


def test_a_keras_model_and_a_float_flatbuffer_give_the_same_program(bench, module, model):
    from tinyml_nas.conversion.archive import save
    from tinyml_nas.conversion.flatbuffer import converted, converter_of

    save(model, bench.folder / "mine.keras")
    (bench.folder / "mine.tflite").write_bytes(converted(converter_of(model)))
    for name in ("mine.keras", "mine.tflite"):
        result = bench.run(f"network={bench.folder / name}", *SEEN)
        assert result.metrics["test_accuracy"] == module.metrics["test_accuracy"]
        assert result.metrics["network"] == module.metrics["network"]
        assert "conversion" not in result.metrics
        for stage in ("quantize", "observe", "generate"):
            assert keys(result, stage) == keys(module, stage)


def test_a_flatbuffer_in_int8_is_deployed_as_it_is(bench, model):
    """It takes and gives reals, as TensorFlow writes them."""
    from tinyml_nas.conversion.backend import tf
    from tinyml_nas.conversion.flatbuffer import converted, converter_of

    images = inputs(Cifar10Sample().split("train")[:20], 32, Seen(3, MEAN, STD), "float32")
    images[0, 0, :2] = inputs(black_and_white(), 32, Seen(3, MEAN, STD), "float32")[:, 0, 0]
    converter = converter_of(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    path = bench.folder / "int8.tflite"
    path.write_bytes(converted(converter))
    result = bench.run(f"network={path}", *SEEN)
    found = result.metrics["test_accuracy"]
    assert result.status == "ok"
    assert "quantize" not in [entry["stage"] for entry in result.provenance["stages"]]
    assert abs(found["deployed"]["value"] - found["given"]["value"]) <= 0.01
    with pytest.raises(config.ConfigError, match="network_input: mean, std: bytes become"):
        bench.study(f"network={path}", "network_input={mean: 0, std: 1}")
    with pytest.raises(config.ConfigError, match="is in int8 already; leave quantizer=none out"):
        bench.study(f"network={path}", *SEEN, "quantizer=none")


def black_and_white():
    sample = Cifar10Sample().split("train")[:2]
    pixels = sample.pixels.copy()
    pixels[0], pixels[1] = 0, 255
    return Images(pixels, sample.labels)


def test_a_torch_module_can_be_trained_on(bench):
    path = bench.folder / "mine.py"
    path.write_text(CODE)
    study = bench.study(
        f"network={path}:network",
        "network_input.size=32",
        *SEEN,
        "network_finetune=true",
        "finetune=standard",
        "finetune.epochs=0.1",
        "finetune.warmup_epochs=0",
        "quantizer=none",
    )
    found = {}
    context = Context(Store(study.store_dir))
    network, extractor = brought(context, study, found)
    assert extractor.dtype == "float32"
    assert found["training"]["float"]["steps"] > 0
    delivered = load(study.output_dir / "network")
    validation = study.dataset.split("validation")
    assert network.accuracy == pytest.approx(
        accuracy(delivered, validation), abs=1 / len(validation)
    )
    trained = delivered.network.state_dict()
    untrained = drawn("TwoLayerCNN", 3, 4).state_dict()
    assert trained.keys() == untrained.keys()
    assert not any(
        trained[name].equal(untrained[name]) for name in trained if name.endswith("weight")
    )
