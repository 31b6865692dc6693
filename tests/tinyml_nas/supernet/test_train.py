"""The sandwich rule, and runs that are killed and go on."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from codegen.boards.board import Board
from tinyml_nas.cards.supernet import card
from tinyml_nas.supernet.checkpoint import CheckpointError, checkpoint_path
from tinyml_nas.supernet.files import adopt, load_supernet, save_supernet
from tinyml_nas.supernet.network import Supernet
from tinyml_nas.supernet.problem import SupernetProblem
from tinyml_nas.supernet.record import record
from tinyml_nas.supernet.train import train_supernet
from tinyml_nas.training.recipes import SupernetRecipe

BOARD = Board("test", "cortex-m7", 480_000_000, 0, 2**21, 0x2400_0000, 2**20)
RECIPE = SupernetRecipe(
    epochs=2,
    batch_size=32,
    checkpoint_steps=3,
    largest_epochs=1,
    random_networks=1,
    reported_networks=3,
)


class KilledError(Exception):
    """Stands for a kill between two steps."""


def run(space, images, folder, stop_at=None, recipe=RECIPE):
    def progress(done, total):
        if done == stop_at:
            raise KilledError

    torch.manual_seed(0)
    supernet = Supernet(space, 10)
    curve = train_supernet(supernet, images, recipe, folder, seed=5, progress=progress)
    return supernet, curve


def same(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("stop_at", [1, 5, 11])
def test_a_killed_run_ends_with_the_same_weights(tiny_space, sample, tmp_path, stop_at):
    images = sample.split("train")[:192]
    whole, curve = run(tiny_space, images, tmp_path / "whole")
    with pytest.raises(KilledError):
        run(tiny_space, images, tmp_path / "killed", stop_at)
    resumed, resumed_curve = run(tiny_space, images, tmp_path / "killed")
    assert same(whole, resumed)
    assert [e["step"] for e in resumed_curve] == [e["step"] for e in curve] == [6, 12]
    assert [e["loss"] for e in resumed_curve] == [e["loss"] for e in curve]


def test_a_longer_run_takes_up_the_plateau_of_a_shorter_one(tiny_space, sample, tmp_path):
    images = sample.split("train")[:192]
    # The fall begins within an epoch, and not where a state is saved anyway.
    short = dataclasses.replace(
        RECIPE, epochs=3, decay_epochs=1.25, average_steps=5, optimizer="muon"
    )
    run(tiny_space, images, tmp_path / "short", recipe=short)
    state = tmp_path / "short" / "plateau.safetensors"
    long = dataclasses.replace(short, epochs=4)
    whole, expected = run(tiny_space, images, tmp_path / "whole", recipe=long)
    extended = dataclasses.replace(long, extends=state)
    taken_up, curve = run(tiny_space, images, tmp_path / "extended", recipe=extended)
    assert same(whole, taken_up)
    assert [entry["step"] for entry in curve] == [6, 12, 18, 24]
    assert [entry["loss"] for entry in curve] == [entry["loss"] for entry in expected]

    finished = tmp_path / "short" / "training.safetensors"
    for changes, message in (
        ({"extends": finished}, "has begun to fall"),
        ({"extends": tmp_path / "none"}, "no file"),
        ({"batch_size": 16}, "another recipe or seed"),
        ({"epochs": 2}, "asks for 4"),
    ):
        changed = dataclasses.replace(extended, **changes)
        with pytest.raises(ValueError, match=message):
            run(tiny_space, images, tmp_path / "refused", recipe=changed)


def test_training_lowers_the_loss_and_reaches_the_small_networks(tiny_space, sample, tmp_path):
    images = sample.split("train")[:192]
    supernet, curve = run(tiny_space, images, tmp_path)
    assert curve[1]["loss"] < curve[0]["loss"]
    fresh, _ = run(tiny_space, images[:32], tmp_path / "short")
    assert not same(supernet, fresh)
    # The second half trains the smallest network's own kernel transforms.
    transforms = [v for k, v in supernet.state_dict().items() if "transforms" in k]
    assert any(float(t.abs().max()) > 0 for t in transforms)


def test_a_checkpoint_comes_back_whole_or_not_at_all(tiny_space, tmp_path):
    supernet = Supernet(tiny_space, 10)
    path = tmp_path / "tiny.safetensors"
    save_supernet(supernet, path)
    space = dataclasses.replace(tiny_space, checkpoint=str(path))
    loaded = load_supernet(space, 10)
    for name, value in supernet.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    with pytest.raises(CheckpointError, match="another space"):
        load_supernet(dataclasses.replace(space, features=40), 10)
    content = bytearray(path.read_bytes())
    content[-7] ^= 64
    path.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="damaged"):
        load_supernet(space, 10)
    path.write_bytes(bytes(content[: len(content) // 2]))
    with pytest.raises(CheckpointError, match="truncated"):
        load_supernet(space, 10)
    path.unlink()
    with pytest.raises(CheckpointError, match="no file"):
        load_supernet(space, 10)
    with pytest.raises(CheckpointError, match="no trained weights"):
        load_supernet(tiny_space, 10)


def test_a_supernet_starts_from_another_of_the_same_layers(tiny_space, tmp_path):
    before = run_of(tiny_space, 3)
    save_supernet(before, tmp_path / "before.safetensors")
    narrower = dataclasses.replace(tiny_space, resolutions=tiny_space.resolutions[:1])
    after = Supernet(narrower, 10)
    assert not same(before, after)
    adopt(after, tmp_path / "before.safetensors")
    for name, value in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    other = Supernet(dataclasses.replace(tiny_space, features=tiny_space.features + 8), 10)
    with pytest.raises(
        CheckpointError, match=r"not of the same layers: \S+ is \(.* here, \(.* there"
    ):
        adopt(other, tmp_path / "before.safetensors")


def run_of(space, seed):
    torch.manual_seed(seed)
    return Supernet(space, 10)


def test_an_untrained_supernet_has_the_same_weights_every_time(tiny_space):
    space = dataclasses.replace(tiny_space, checkpoint="untrained")
    assert checkpoint_path(space) is None
    state = torch.get_rng_state()
    assert same(load_supernet(space, 4), load_supernet(space, 4))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_shipped_supernet_ranks_networks(mcu_space, sample):
    """Inherited weights score far above chance, and the largest network above the smallest."""
    supernet = load_supernet(mcu_space, 10)
    train, validation = sample.split("train"), sample.split("validation")[:500]
    problem = SupernetProblem(supernet, train, validation, BOARD)
    small, large = (problem.error(genotype) for genotype in problem.anchors())
    assert large < small < 0.5
    assert problem.error(mcu_space.largest()) == large  # no state between evaluations
    assert np.isfinite(small)


def test_the_record_scores_inherited_networks(tiny_space, sample):
    supernet = Supernet(tiny_space, 10)
    train, validation = sample.split("train")[:100], sample.split("validation")[:100]
    problem = SupernetProblem(supernet, train, validation, BOARD)
    curve = [{"step": 3.0, "loss": 2.3, "seconds": 1.4}, {"step": 6.0, "loss": 2.2, "seconds": 1.4}]
    made = record(problem, RECIPE, curve, "digest of the data", seed=0)
    assert made["seconds"] == 3
    assert made["data_digest"] == "digest of the data"
    assert made["smallest"]["parameters"] < made["largest"]["parameters"]
    assert made["largest"]["accuracy"] == pytest.approx(1 - problem.error(tiny_space.largest()))
    assert len(made["random"]) == 3
    made["space"]["last_stages"], made["recipe"]["teacher"] = [4, 7], ""
    lite0 = card("lite0", made)
    assert "An elastic EfficientNet-Lite0 that starts from ImageNet's weights" in lite0
    assert "sandwich\n  rule with the answers of a trained teacher (largest" in lite0
    assert "supernet=lite0 train_supernet=lite0 dataset=cifar10" in lite0
    del made["space"]["last_stages"], made["recipe"]["teacher"]
    text = card("tiny", json.loads(json.dumps(made)))
    assert "An elastic MobileNetV3 for microcontrollers: one set" in text
    assert f"{made['largest']['parameters']:,}" in text
    assert f"{100 * made['smallest']['accuracy']:.2f} %" in text
    assert "nan" not in text
