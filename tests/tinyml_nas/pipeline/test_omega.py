"""On every board, under every memory model, of every shipped network: reported = generated = linked.

The pipeline itself runs, from its configuration to ``result.json``; what takes minutes (float accuracies,
calibration on all images, streams) is left out, each network is quantized once, and a configuration is composed
once for all boards.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from codegen.boards.board import load as load_board
from codegen.boards.board import names
from codegen.pixels import normalise, resize
from codegen.toolchain import target
from tests.support.needs import needs_board_tools
from tinyml_nas import config, report
from tinyml_nas.conversion.keras import convert
from tinyml_nas.network import files
from tinyml_nas.network.shipped import NETWORKS as SHIPPED
from tinyml_nas.pipeline import deploy, programs, variants
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.stages import generate as generate_stage
from tinyml_nas.pipeline.stages.generate import NotAsReportedError, check_reported
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.store.entries import Entry, Key
from tinyml_nas.types import Extractor

NETWORKS = SHIPPED.names
SETTINGS = ("scenario=none", "project.golden_images=1", "name=test")
BUDGETS = {"omega_1190kb": 1_190_000}  # that of the others is the default
CALIBRATION_IMAGES = 10
# Every core that has a board, every network and both models once.
LINKED = [
    ("nucleo_f446re", "thesis", "omega_256kb"),
    ("nucleo_f446re", "mcu", "nucleo_f446re"),
    ("arduino_nano33ble", "mcu", "omega_801kb"),
    ("corstone300", "thesis", "nucleo_f446re"),
    ("pico2", "mcu", "omega_801kb"),
    ("nucleo_1mb", "thesis", "omega_1190kb"),
]


@cache
def composed(*settings: str) -> DictConfig:
    config.register()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        return compose("config", [*SETTINGS, *settings])


def on_board(device: str, *settings: str) -> DictConfig:
    """What ``composed`` makes of ``device=...`` too; its group alone is new."""
    chosen = copy.deepcopy(composed(*settings))
    chosen.device = composed("network=omega_256kb", f"device={device}").device
    return chosen


@pytest.fixture(scope="module")
def extractors(sample, tmp_path_factory) -> dict[str, Extractor]:
    made = {}
    for name in NETWORKS:
        network = files.load(SHIPPED.folder(name))
        pixels = sample.split("train").pixels[:CALIBRATION_IMAGES]
        images = normalise(resize(pixels, network.resolution))
        folder = tmp_path_factory.mktemp(name)
        keras = convert(network, images, folder)
        quantizer = Int8(calibration_images=CALIBRATION_IMAGES, clip_hard_swish=False)
        made[name] = quantizer.quantize(keras.artifact.path, images, folder)
    return made


@pytest.fixture
def run(extractors, tmp_path, monkeypatch) -> Callable[..., dict]:
    """``run(network, *overrides, device=...)``: the result that ``run.py`` would write into ``tmp_path``."""
    emitted = tmp_path / "generated"

    def stage(context: Context, function, **given) -> Entry:
        def entry(path: Path = tmp_path, **value) -> Entry:
            return Entry(Key(function.__name__, {}, "", {}), path, str(path), value)

        match function.__name__:
            case "given":
                network = files.load(given["network"].path)
                figures = {"accuracy": 0.9, "size_bytes": 1, "parameters": 1, "macs": 1}
                return entry(given["network"].path, resolution=network.resolution, **figures)
            case "quantize":
                found = extractors[given["keras"].path.name]
                figures = {key: getattr(found, key) for key in ("features", "dtype", "scale")}
                figures["seen"] = asdict(found.seen)
                return entry(found.artifact.path, zero_point=found.zero_point, **figures)
            case "convert":  # hands the network's name on
                return entry(given["network"].path)
            case "generate":
                folder = emitted / str(len(list(emitted.glob("*"))))
                folder.mkdir(parents=True)
                return entry(folder, **function(folder, tmp_path, **given))
            case "portray":
                drawn = tmp_path / "portrait"
                drawn.mkdir(exist_ok=True)
                return entry(drawn, matrix=[[1, 0], [0, 1]])
            case _:
                return entry(accuracy=0.9)

    monkeypatch.setattr(Context, "run", stage)
    monkeypatch.setattr(programs, "target_compiler", lambda: None)

    def result(network: str, *overrides: str, device: str = "nucleo_1mb") -> dict:
        chosen = on_board(device, f"network={network}", *overrides)
        chosen.store = str(tmp_path / "store")
        study = config.build(chosen, tmp_path)
        report.deliver(deploy.run(study), study)
        return json.loads((tmp_path / "result.json").read_text())

    return result


def constants(project: Path) -> dict[str, int]:
    """Names and whole numbers of ``src/config.hpp``."""
    text = (project / "src" / "config.hpp").read_text()
    return {name: int(value) for name, value in re.findall(r" k(\w+) = (\d+);", text)}


def check(result: dict, folder: Path, device: str) -> None:
    """The project's constants are the result's figures, and keep within the board."""
    metrics, board = result["metrics"], load_board(device)
    emitted, counted = constants(folder / "project"), metrics["memory"]["mcu"]
    assert emitted["BufferSamples"] == metrics["omega"]["buffer_samples"] >= 1
    for part, size in counted["ram_parts"].items():
        assert emitted[f"{part.capitalize()}Bytes"] == size
    assert metrics["program"]["ram_bytes"] == sum(counted["ram_parts"].values())
    assert metrics["program"]["ram_bytes"] == counted["ram_bytes"] <= board.ram_bytes
    assert metrics["program"]["flash_bytes"] == counted["flash_bytes"] <= board.flash_bytes
    assert emitted["FlashBytes"] == counted["flash_bytes"] == sum(counted["flash_parts"].values())
    assert (emitted["BoardRamBytes"], emitted["BoardFlashBytes"]) == (
        board.ram_bytes,
        board.flash_bytes,
    )
    for counts in metrics["memory"].values():
        buffer = metrics["omega"]["buffer_samples"] * counts["sample_bytes"]
        assert counts["ram_parts"]["buffer"] == buffer
    thesis = metrics["memory"]["thesis"]
    allowed = {"device.ram_bytes": counted["most_samples"]}
    if "ram_limit_bytes" in thesis:
        allowed["memory.budget_bytes"] = thesis["most_samples"]
        assert thesis["ram_bytes"] <= thesis["ram_limit_bytes"]
    assert emitted["BufferSamples"] == min(allowed.values())
    assert allowed[metrics["omega"]["bound"]] == min(allowed.values())


def overrides(memory: str, network: str) -> list[str]:
    budget = [f"memory.budget_bytes={BUDGETS[network]}"] if network in BUDGETS else []
    return [f"memory={memory}", *(budget if memory == "thesis" else [])]


@pytest.mark.parametrize("device", names())
def test_a_board_is_a_group_that_changes_no_other(device):
    """So that what the tests below compose once is what each board would get."""
    assert on_board(device, "network=omega_256kb") == composed(
        "network=omega_256kb", f"device={device}"
    )


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("memory", ["thesis", "mcu"])
@pytest.mark.parametrize("device", names())
def test_what_is_reported_is_generated_and_keeps_within_the_board(
    run, tmp_path, device, memory, network
):
    result = run(network, *overrides(memory, network), device=device)
    if result["status"] == "ok":
        check(result, tmp_path, device)
        return
    assert result["status"] == "infeasible"
    missing = result["metrics"]["memory"]["mcu"]["missing_bytes"]
    assert missing["flash"] == (
        result["metrics"]["memory"]["mcu"]["flash_bytes"] - load_board(device).flash_bytes
    )
    assert not (tmp_path / "project").exists()
    assert not (tmp_path / "generated").exists()


class GeneratedError(Exception):
    """A program is generated: what it is for fits."""


def test_each_board_holds_some_network_and_some_network_fits_not_all(run, monkeypatch):
    """So that the test above cannot pass by finding nothing to fit, or nothing that does not."""

    def generated(*_: object) -> None:
        raise GeneratedError

    monkeypatch.setattr(deploy, "program_of", generated)
    for device in names():
        with pytest.raises(GeneratedError):
            run("omega_256kb", "memory=mcu", device=device)
    for device in ("nucleo_f446re", "corstone300"):
        assert run("omega_801kb", "memory=mcu", device=device)["status"] == "infeasible"


@pytest.mark.parametrize(
    ("setting", "bound", "samples"),
    [
        (["memory.max_buffer_samples=7"], "memory.max_buffer_samples", 7),
        (["learner=tinyol"], "learner", 1),
        (["memory=mcu", "memory.max_buffer_samples=158"], "memory.max_buffer_samples", 158),
        (["memory=tybox", "memory.budget_bytes=252745"], "memory.budget_bytes", 2),
    ],
)
def test_whatever_bounds_the_buffer_is_named_and_emitted(run, tmp_path, setting, bound, samples):
    result = run("omega_256kb", *setting, device="nucleo_f446re")
    omega, program = result["metrics"]["omega"], result["metrics"]["program"]
    assert (omega["bound"], omega["buffer_samples"]) == (bound, samples)
    assert constants(tmp_path / "project")["BufferSamples"] == samples
    assert program["ram_bytes"] == result["metrics"]["memory"]["mcu"]["ram_bytes"]


def test_what_does_not_fit_is_told_before_anything_is_quantized(run, tmp_path, monkeypatch):
    """By the shapes, to the byte that quantization would find; older folders do not stay beside it."""
    for name in ("project", "network"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").write_text("kept")
    monkeypatch.setattr(variants, "extractor_of", None)  # cannot be called
    for again in ("", "-2"):
        result = run("omega_1190kb")
        assert result["status"] == "infeasible"
        thesis = result["metrics"]["memory"]["thesis"]
        assert thesis["missing_bytes"] == {"ram": thesis["ram_bytes"] - 830_000}
        for name in ("project", "network"):
            assert not (tmp_path / name).exists()
            assert (tmp_path / f"{name}.earlier{again}" / "mine.txt").read_text() == "kept"
            (tmp_path / name).mkdir()
            (tmp_path / name / "mine.txt").write_text("kept")


def test_a_run_that_fails_does_not_leave_an_older_project_either(run, tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()

    def fails(*_: object, **__: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(programs, "design", fails)
    with pytest.raises(OSError, match="no space"):
        run("omega_256kb")
    assert not (tmp_path / "project").exists()


def test_what_the_run_itself_delivered_stays_and_is_replaced_by_the_next(run, tmp_path):
    for _ in range(2):
        assert run("omega_256kb", device="pico2")["status"] == "ok"
        assert (tmp_path / "project").is_dir()
    assert not list(tmp_path.glob("*.earlier*"))


@pytest.mark.parametrize(
    ("memory", "part"), [("ram", "buffer"), ("ram", "stack"), ("flash", "code")]
)
def test_a_program_that_is_not_what_was_reported_is_never_emitted(
    run, tmp_path, monkeypatch, memory, part
):
    emit_nothing = generate_stage.generate

    def generate(folder, work, *, reported, **given):
        changed = {name: dict(parts) for name, parts in reported.items()}
        changed[memory][part] += 1
        return emit_nothing(folder, work, reported=changed, **given)

    generate.__name__ = "generate"
    monkeypatch.setattr(programs, "generate", generate)
    with pytest.raises(NotAsReportedError, match=rf"{memory} {part}: \d+, reported \d+"):
        run("omega_256kb", device="nucleo_f446re")
    assert not (tmp_path / "project").exists()
    assert not list(tmp_path.rglob("config.hpp"))


def test_parts_that_only_one_side_has_are_named():
    parts = {"flash": {"code": 3}, "ram": {"arena": 1}}
    check_reported(parts, {"ram": {"arena": 1}, "flash": {"code": 3}})
    with pytest.raises(NotAsReportedError, match="flash code: 3, reported None"):
        check_reported(parts, {"ram": {"arena": 1}})


@needs_board_tools
@pytest.mark.parametrize(("device", "memory", "network"), LINKED)
def test_the_linked_program_keeps_to_what_was_reported(run, tmp_path, device, memory, network):
    result = run(network, *overrides(memory, network), device=device)
    assert result["status"] == "ok"
    check(result, tmp_path, device)
    board, program = load_board(device), result["metrics"]["program"]
    linked = target.linked(tmp_path / "project", board, tmp_path / "build")
    assert 0 <= program["ram_bytes"] - linked.ram_bytes < 256
    assert abs(program["flash_bytes"] - linked.flash_bytes) < 1024
    assert linked.ram_bytes <= board.ram_bytes
    assert linked.flash_bytes <= board.flash_bytes
