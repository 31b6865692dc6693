"""The training loop's parts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tinyml_nas.network.module import StaticNetwork, spec_of
from tinyml_nas.training.base import Recipe
from tinyml_nas.training.loop import accuracy, device_of, draw_batch, finetune, recalibrate
from tinyml_nas.training.recipes import DistilledRecipe, SupernetRecipe, TeacherRecipe
from tinyml_nas.types import Images


@pytest.fixture
def network(small_spec):
    torch.manual_seed(0)
    return StaticNetwork(small_spec)


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


recipes = st.builds(
    Recipe,
    epochs=st.floats(1, 50),
    warmup_epochs=st.floats(0, 1),
    decay_epochs=st.none() | st.floats(0.1, 1),
)


@given(recipes, st.floats(0, 0.9999))
def test_the_schedule_stays_between_zero_and_the_peak(recipe, share):
    assert 0 <= recipe.rate_at(share * recipe.epochs) <= 1.01


@given(recipes)
def test_the_learning_rate_ends_at_zero(recipe):
    assert recipe.rate_at(recipe.epochs) == pytest.approx(0, abs=1e-6)


def test_a_plateau_does_not_depend_on_the_length():
    short, long = (Recipe(epochs=epochs, decay_epochs=2) for epochs in (5, 50))
    for epoch in np.linspace(0, 3, 50):
        assert short.rate_at(epoch) == long.rate_at(epoch)
    assert short.rate_at(4) == 0.5
    assert long.rate_at(4) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", -1), ("batch_size", 0), ("momentum", 1.0), ("decay_epochs", 2)],
)
def test_a_bad_recipe_names_its_key(field, value):
    with pytest.raises(ValueError, match=f"recipe.{field}"):
        Recipe(**{"epochs": 1, field: value})


class TrainImages:
    """A data set of which nothing but its size is asked."""

    def __init__(self, count: int) -> None:
        self.images = count

    def count(self, split: str) -> int:
        return {"train": self.images}[split]


@given(
    batch_size=st.integers(1, 5000),
    images=st.integers(1, 5000),
    epochs=st.floats(0, 1e6),
    kind=st.sampled_from([Recipe, DistilledRecipe, SupernetRecipe]),
)
def test_a_recipe_that_is_not_refused_takes_a_step(batch_size, images, epochs, kind):
    recipe = kind(epochs=epochs, batch_size=batch_size)
    try:
        recipe.check(TrainImages(images))
    except ValueError as error:
        if batch_size > images:
            expected = f"recipe.batch_size: must be at most {images},"
        else:
            assert (kind, epochs) == (SupernetRecipe, 0)
            expected = "recipe.epochs: must be above 0,"
        assert str(error).startswith(expected)  # noqa: PT017  # refusing is one of two right answers
        return
    steps = math.ceil(recipe.epochs * recipe.steps_per_epoch(images))
    assert steps >= 1 or epochs == 0


def test_training_on_fewer_images_than_a_batch_is_refused_whoever_asks(network, sample, tmp_path):
    few = sample.split("train")[:30]
    with pytest.raises(ValueError, match=r"recipe\.batch_size: must be at most 30, .*got 31"):
        finetune(network, few, Recipe(epochs=1, batch_size=31), tmp_path, seed=1)


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


@pytest.mark.parametrize("optimizer", ["sgd", "muon", "adamw"])
def test_finetuning_learns_real_images_and_resumes_exactly(network, sample, tmp_path, optimizer):
    images = sample.split("train")[:400]
    recipe = Recipe(
        epochs=4,
        batch_size=25,
        optimizer=optimizer,
        learning_rate=0.005 if optimizer == "adamw" else 0.05,
        checkpoint_steps=7,
        average_steps=10,
        erase_side=4,
    )
    start = {name: value.clone() for name, value in network.state_dict().items()}
    curve = finetune(network, images, recipe, tmp_path / "whole", seed=1)
    assert accuracy(network, images) > 0.15
    assert curve[-1]["loss"] < curve[0]["loss"]

    class KilledError(Exception):
        pass

    def kill(done, total):
        if done == 24:
            raise KilledError

    again = StaticNetwork(spec_of(network))
    again.load_state_dict(start)
    with pytest.raises(KilledError):
        finetune(again, images, recipe, tmp_path / "killed", seed=1, progress=kill)
    again.load_state_dict(start)
    finetune(again, images, recipe, tmp_path / "killed", seed=1)
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_finetuned_network_is_one_that_float16_holds(network, sample, tmp_path):
    finetune(network, sample.split("train")[:80], Recipe(epochs=1, batch_size=40), tmp_path, seed=1)
    assert all(torch.equal(p, p.half().float()) for p in network.parameters())


def test_a_student_comes_closer_to_its_teacher(network, sample, tmp_path):
    """Labels are shuffled, so that the teacher alone knows anything."""
    train = sample.split("train")[:400]
    teacher = StaticNetwork(spec_of(network))
    recipe = DistilledRecipe(epochs=4, batch_size=40, optimizer="muon", teacher_share=1.0)
    finetune(teacher, train, recipe, tmp_path / "teacher", seed=1)
    noise = np.random.default_rng(0).permutation(train.labels)
    shuffled = Images(train.pixels, noise)
    finetune(network, shuffled, recipe, tmp_path / "student", seed=2, teacher=teacher)
    assert accuracy(network, train) > 0.2


def test_a_teacher_sees_small_images_first(network, sample, tmp_path):
    recipe = TeacherRecipe(
        epochs=2, batch_size=40, resolution=64, small_resolution=32, small_epochs=1
    )
    sides = []
    network.stem.register_forward_pre_hook(lambda _, given: sides.append(given[0].shape[-1]))
    network.resolution = 64
    finetune(network, sample.split("train")[:80], recipe, tmp_path, seed=1)
    assert sides[:4] == [32, 32, 64, 64]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 100}, r"recipe\.resolution: must be a multiple of 32 pixels; got 100"),
        ({"small_resolution": 0}, r"recipe\.small_resolution"),
        ({"small_epochs": 3}, r"recipe\.small_epochs: .* \[0, recipe\.epochs = 2\]; got 3"),
    ],
)
def test_a_bad_teachers_recipe_names_its_key(changes, message):
    with pytest.raises(ValueError, match=message):
        TeacherRecipe(**{"epochs": 2, **changes})


def test_a_gpu_that_is_not_there_is_named():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ValueError, match=r"recipe\.device: cuda was asked for"):
        device_of(Recipe(epochs=1, device="cuda"))


def test_the_network_trains_in_bfloat16_too(network, sample, tmp_path):
    recipe = Recipe(epochs=1, batch_size=50, precision="bfloat16")
    finetune(network, sample.split("train")[:100], recipe, tmp_path, seed=1)
    assert all(value.dtype != torch.bfloat16 for value in network.state_dict().values())
    assert all(bool(torch.isfinite(p).all()) for p in network.parameters())


def test_a_diverging_run_stops(network, sample, tmp_path):
    recipe = Recipe(epochs=3, batch_size=50, learning_rate=1e9, clip_norm=1e9)
    with pytest.raises(RuntimeError, match="diverged"):
        finetune(network, sample.split("train")[:300], recipe, tmp_path, seed=1)
