"""The training loop's parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.tinyml_nas.supernet.conftest import space_from
from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.recipe import Recipe
from tinyml_nas.training import accuracy, augment, draw_batch, finetune, recalibrate


@pytest.fixture
def network():
    torch.manual_seed(0)
    space = space_from("mbv3_mcu")
    return StaticNetwork(space.spec(space.smallest(), 10))


def test_augment_shifts_and_flips_whole_images():
    images = torch.arange(2 * 3 * 8 * 8, dtype=torch.uint8).reshape(2, 3, 8, 8)
    rng = np.random.default_rng(0)
    found = set()
    for _ in range(200):
        out = augment(images, 1, rng)
        padded = torch.nn.functional.pad(images, (1, 1, 1, 1))
        for index in range(2):
            matches = {
                (top, left, flip)
                for top in range(3)
                for left in range(3)
                for flip in (False, True)
                if torch.equal(
                    out[index],
                    (_p := padded[index, :, top : top + 8, left : left + 8]).flip(2)
                    if flip
                    else padded[index, :, top : top + 8, left : left + 8],
                )
            }
            assert matches
            found |= matches
    assert len(found) == 18  # every shift, flipped or not


def test_an_epoch_shows_every_image_once():
    pixels = torch.arange(64, dtype=torch.uint8).reshape(64, 1, 1, 1).expand(64, 3, 4, 4)
    labels = torch.arange(64)
    recipe = Recipe(epochs=1, batch_size=16, crop_padding=0)
    seen = [draw_batch(pixels, labels, recipe, 4, step, seed=0) for step in range(8)]
    first = torch.cat([batch.labels for batch in seen[:4]])
    second = torch.cat([batch.labels for batch in seen[4:]])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(64))
    assert first.tolist() != second.tolist()
    for batch in seen:
        assert torch.equal(batch.images[:, 0, 0, 0].long(), batch.labels)


@given(st.floats(0, 0.9999))
def test_the_schedule_stays_between_zero_and_the_peak(share):
    recipe = Recipe(epochs=3, learning_rate=0.1)
    assert 0 < recipe.learning_rate_at(share) <= 0.1 * 1.01


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", -1), ("batch_size", 0), ("momentum", 1.0), ("warmup_share", 1.5)],
)
def test_a_bad_recipe_names_its_key(field, value):
    with pytest.raises(ValueError, match=f"recipe.{field}"):
        Recipe(**{"epochs": 1, field: value})


def test_recalibration_makes_batchnorm_statistics_those_of_the_images(network, sample):
    images = sample.split("train")[:500]
    recalibrate(network, images)
    seen = []
    network.stem.conv.register_forward_hook(lambda *args: seen.append(args[2]))
    accuracy(network, images)
    maps = torch.cat(seen)
    torch.testing.assert_close(
        network.stem.bn.running_mean, maps.mean((0, 2, 3)), atol=1e-4, rtol=1e-3
    )


def test_finetuning_learns_real_images_and_resumes_exactly(network, sample, tmp_path):
    images = sample.split("train")[:1000]
    recipe = Recipe(epochs=4, batch_size=50, learning_rate=0.05, checkpoint_steps=7)
    start = {name: value.clone() for name, value in network.state_dict().items()}
    curve = finetune(network, images, recipe, tmp_path / "whole", seed=1)
    assert accuracy(network, images) > 0.25
    assert curve[-1]["loss"] < curve[0]["loss"]

    class KilledError(Exception):
        pass

    def kill(done, total):
        if done == 30:
            raise KilledError

    again = StaticNetwork(space_from("mbv3_mcu").spec(space_from("mbv3_mcu").smallest(), 10))
    again.load_state_dict(start)
    with pytest.raises(KilledError):
        finetune(again, images, recipe, tmp_path / "killed", seed=1, progress=kill)
    again.load_state_dict(start)
    finetune(again, images, recipe, tmp_path / "killed", seed=1)
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_diverging_run_stops(network, sample, tmp_path):
    recipe = Recipe(epochs=3, batch_size=50, learning_rate=1e9, clip_norm=1e9)
    with pytest.raises(RuntimeError, match="diverged"):
        finetune(network, sample.split("train")[:300], recipe, tmp_path, seed=1)


def test_a_damaged_training_checkpoint_is_named(network, sample, tmp_path):
    (tmp_path / "training.safetensors").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"training\.safetensors: damaged"):
        finetune(network, sample.split("train")[:100], Recipe(epochs=1), tmp_path, seed=1)
