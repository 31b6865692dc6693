"""Absurd values for every field of every plug-in: built, or refused in a line that names the key."""

from __future__ import annotations

import copy
import dataclasses
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from codegen.boards import board as boards
from tinyml_nas import config
from tinyml_nas.config.errors import explain

ROOT = Path(__file__).parents[3]
ABSURD = (
    *(-1, 0, 10**20, 1e308, 1e-320, float("nan"), float("inf"), -float("inf"), True),
    *("", "x", "x" * 5000, None, [], {}, [None], [float("nan")], [-1, -1], {"x": 1}),
)
OPTIONS = [
    (path.parent.name, path.stem)
    for path in sorted(config.CONF.glob("*/*.yaml"))
    if path.parent.name not in ("hydra", "experiment")
] + [("device", name) for name in boards.names()]
FREE = {
    "dataset.root",
    "device.name",
    "device.source",
    "tracking.folder",
    "tracking.experiment",
}  # texts of any letters


@pytest.fixture(scope="module", autouse=True)
def schemas():
    config.register()


def composed(*overrides: str):
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        return compose("config", ["name=test", *overrides])


def refusal_of(*overrides: str) -> str | None:
    """In one line, why a study is refused; None where it is built."""
    return reason(lambda: composed(*overrides))


def reason(compose_it: Callable[[], DictConfig]) -> str | None:
    """The same of a configuration that is composed, and maybe refused, by a function."""
    try:
        config.build(compose_it(), Path("out"))
    except Exception as error:
        if not config.is_refusal(error):
            raise
        return explain(error)
    return None


def keys_below(node: object, above: str) -> Iterator[str]:
    """Every key of a plug-in in full, also those of the tables in it."""
    if isinstance(node, DictConfig):
        for name, value in node.items():
            if name != "_target_":
                yield f"{above}.{name}"
                yield from keys_below(value, f"{above}.{name}")


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_absurd_values_are_refused_by_their_key(group, option):
    task = [f"task={group}"] if group.startswith("train_") else []
    cfg = composed(f"{group}={option}", *task)
    plain = copy.deepcopy(cfg[group])
    for key in list(keys_below(plain, group)):
        refused = 0

        def changed(value: object, key: str = key) -> DictConfig:
            cfg[group] = copy.deepcopy(plain)  # no more: copies are what takes time here
            try:
                OmegaConf.update(cfg, key, value, merge=False)
            except OmegaConfBaseException as error:  # as hydra tells it
                raise ConfigCompositionException(f"Error merging override {key}=") from error
            return cfg

        for value in ABSURD:
            text = reason(lambda value=value: changed(value))
            if text is None:
                continue
            refused += 1
            # but for the faults of people's own pictures, which are told one a line
            assert "\n" not in text or option == "folder"
            # by itself, or by the field of its own class that it does not go with
            assert re.match(rf"{group}(\.\w+|@)", text), (key, value, text)
        assert refused >= (3 if key in FREE else 8), (key, refused)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["scenario.swapped=[3,11]"], r"scenario\.swapped: must be two of the classes 0 to 9; got"),
        (["scenario.samples=70000"], r"scenario\.samples: .* at least \d+ images; there are 1000"),
        (["scenario.curve_images=600"], r"scenario\.samples: .* there are 1000"),
        (
            ["scenario=transfer", "data.root=/nowhere"],
            r"field\.root: no folder /nowhere/imagenette2-96",
        ),
        (
            ["dataset@field=imagenette"],
            r"scenario: .*dataset@field must have the classes of dataset",
        ),
        (
            ["scenario=transfer", "dataset=imagenette"],
            r"scenario: transfer needs a data set .* tench",
        ),
        (["dataset.only_classes=[1]"], r"dataset\.only_classes: must be null or at least two"),
        (
            ["dataset@field=cifar10_sample", "field.only_classes=[1,0]"],
            r"field\.only_classes: must be null or at least two",
        ),
        (
            ["dataset@field=cifar10_sample", "field.only_classes=[0,1]"],
            r"scenario: .*dataset@field must have the classes",
        ),
        (
            ["scenario=class_incremental", "dataset.only_classes=[0,1]", "scenario.joining=[8,9]"],
            r"scenario\.joining: the network must know all other classes",
        ),
        (["stream=runs", "stream.length=0"], r"stream\.length: must be at least 1; got 0"),
        (
            ["quantizer=int8_qat", "quantizer.batch_size=4001"],
            r"quantizer\.batch_size: must be at most 4000, .*; got 4001",
        ),
        (
            ["quantizer.calibration_images=4001"],
            r"quantizer\.calibration_images: must be at most 4000, .*; got 4001",
        ),
        (
            ["pruning=l1", "pruning.keep_ratio=0.002"],
            r"pruning\.keep_ratio: must be at least 0\.\d+ .*; got 0\.002",
        ),
        (
            ["pruning=fit", "memory.budget_bytes=3000"],
            r"pruning\.round_to: no pruning fits: .* memory\.budget_bytes of at least [\d,]+, with ",
        ),
        (
            ["pruning=taylor", "pruning.calibration_images=4001"],
            r"pruning\.calibration_images: must be at most 4000, .*; got 4001",
        ),
        ([f"project.name={'n' * 65}"], r"project\.name: must be up to 64 letters"),
        (["project.golden_images=1001"], r"project\.golden_images: must be at most 1000"),
        (["project.oracle_images=1001"], r"project\.oracle_images: must be at most 1000"),
        (
            ["supernet.checkpoint=/nowhere/at.all"],
            r"supernet\.checkpoint: no file /nowhere/at\.all",
        ),
        (
            ["supernet=lite0", "supernet.checkpoint=untrained"],
            r"supernet\.checkpoint: this supernet starts from ImageNet's weights, never untrained",
        ),
        (
            ["supernet=ofa_mbv3"],
            r"supernet\.checkpoint: this supernet has no trained weights; .* with untrained",
        ),
        (
            ["supernet=ofa_mbv3", "supernet.checkpoint=untrained"],
            r"supernet\.checkpoint: must be a supernet that was trained .* got untrained; finetune=standard",
        ),
        (
            ["supernet=ofa_mbv3", "supernet.checkpoint=untrained", "finetune=quick"],
            r"finetune\.teacher: largest is the supernet's largest network, and .* untrained; .*lite0",
        ),
        (
            ["finetune.teacher=nobody"],
            r"finetune\.teacher: no folder nobody, .*shipped: lite0; .* task=train_teacher",
        ),
        (["network=nowhere"], r"network: no folder nowhere, and no shipped network of that name"),
        (
            ["pruning=none", "pruning._target_=scenarios.worlds.none.NoScenario"],
            r"pruning\._target_: must be a Pruning; ",
        ),
        (
            ["learner._target_=tinyml_nas.pruning.none.NoPruning", "~learner.passes"],
            r"learner",
        ),
    ],
)
def test_what_can_be_known_is_told_before_any_work(overrides, message):
    text = refusal_of(*overrides)
    assert text is not None
    assert re.match(message, text), text


@pytest.mark.parametrize(
    ("task", "group"), [("deploy", "finetune"), ("train_supernet", "train_supernet")]
)
def test_a_gpu_that_is_not_there_is_told_at_once(task, group, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    text = refusal_of(f"task={task}", f"{group}.device=cuda")
    assert text == f"{group}.device: cuda was asked for, and torch sees no GPU; use auto"


def test_what_the_task_does_not_use_is_not_asked():
    assert refusal_of("network=omega_256kb", "supernet.checkpoint=/nowhere") is None
    assert refusal_of("network=omega_256kb", "pruning.keep_ratio=0.002") is None
    assert refusal_of("task=train_supernet", "quantizer.calibration_images=4001") is None


def test_a_network_of_other_classes_or_not_whole_is_told(tmp_path):
    text = refusal_of(f"network={tmp_path}")
    assert text is not None
    assert re.match(r"network: .* it has no spec\.json", text)
    (tmp_path / "spec.json").write_text('{"classes": 7}')
    (tmp_path / "weights.safetensors").write_bytes(b"")
    text = refusal_of(f"network={tmp_path}")
    assert text is not None
    assert re.match(r"network: .* tells 7 classes apart, and the data set has 10", text)


def test_a_refused_run_leaves_no_entry_in_the_store(tmp_path):
    command = [sys.executable, "run.py", f"store={tmp_path}/store", f"hydra.run.dir={tmp_path}/run"]
    done = subprocess.run(
        [*command, "scenario.swapped=[1,10]"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: scenario.swapped: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "store").exists()


def test_every_plugin_of_a_study_is_of_its_groups_kind():
    study = config.build(composed(), Path("out"))
    kinds = {item.name: item.type for item in dataclasses.fields(study)}
    assert "Any" not in kinds.values()


def test_files_that_cannot_be_used_are_told_one_a_line(data_root, tmp_path):
    for folder in ("class 0", "class 1"):
        shutil.copytree(data_root / folder, tmp_path / folder)
    for name in ("a.jpg", "b.png"):
        (tmp_path / "class 1" / name).touch()
    text = refusal_of("dataset=folder", f"data.root={tmp_path}")
    assert text is not None
    first, *named = text.splitlines()
    assert first == f"dataset.root: {tmp_path}: 2 files that cannot be used:"
    assert [line.strip() for line in named[:2]] == [
        "class 1/a.jpg: is empty",
        "class 1/b.png: is empty",
    ]
    assert refusal_of("dataset=folder", f"data.root={tmp_path}", "dataset.skip_faulty=true") is None


def test_the_field_is_the_data_set_with_all_of_its_classes():
    study = config.build(
        composed("dataset=folder", "dataset.grey=true", "dataset.only_classes=[0,1]"), Path("out")
    )
    assert study.field == dataclasses.replace(study.dataset, only_classes=None)
