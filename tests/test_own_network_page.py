"""The page on one's own network: its module is built and converted, and its commands are not refused."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from tests.support.own_networks import drawn
from tinyml_nas import config
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.own_network import brought
from tinyml_nas.store.entries import Store
from tinyml_nas.study import Study

PAGE = (Path(__file__).parents[1] / "docs" / "own-network.md").read_text()
COMMANDS = [
    shlex.split(text)[1:] for text in re.findall(r"^ {4}python (run\.py .*)$", PAGE, re.MULTILINE)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With every file that the page speaks of; it is the working folder."""
    from tinyml_nas.conversion.archive import save
    from tinyml_nas.conversion.flatbuffer import converted, converter_of
    from tinyml_nas.conversion.keras import to_keras

    folder = tmp_path_factory.mktemp("page")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (folder / "mine.py").write_text(code)
    model = to_keras(drawn("PlainCNN", 0, 2), (32, 32, 3))
    save(model, folder / "mine.keras")
    (folder / "mine.tflite").write_bytes(converted(converter_of(model)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def study(folder: Path, *overrides: str) -> Study:
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        config.register()
        return config.build(
            compose("config", [*overrides, f"store={folder}/store"]), folder / "run"
        )


def test_the_page_shows_every_kind_of_network():
    named = {word for command in COMMANDS for word in command if word.startswith("network=")}
    assert named == {"network=mine.py:network", "network=mine.keras", "network=mine.tflite"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_of_the_page_makes_an_extractor(folder, command):
    quick = ["quantizer.calibration_images=5"]
    if "network_finetune=true" in command:
        quick += ["finetune.epochs=0.02", "finetune.warmup_epochs=0"]
    asked = study(folder, *command, *quick)
    network, extractor = brought(Context(Store(asked.store_dir)), asked, {})
    assert network.resolution == 32
    assert extractor.dtype == "int8"
