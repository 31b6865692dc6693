"""Training on few images: how many are shown, and how each is changed before it is."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.support.spaces import TINY_SPACE
from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.training.augmentation import recoloured, zoomed
from tinyml_nas.training.base import Recipe
from tinyml_nas.training.loop import Batch, draw_batch, finetune, norms_of
from tinyml_nas.training.recipes import DistilledRecipe, FinetuneRecipe
from tinyml_nas.types import Images

RNG = np.random.default_rng(0)


def images(count: int, side: int = 32) -> Images:
    pixels = RNG.integers(0, 256, (count, side, side, 3), np.uint8)
    return Images(pixels, (np.arange(count) % 3).astype(np.uint8))


@pytest.mark.parametrize(
    ("count", "epochs", "batch"), [(10, 100, 10), (200, 5, 25), (1000, 2, 25), (0, 2, 25)]
)
def test_so_many_images_are_shown_however_few_there_are(count, epochs, batch):
    recipe = Recipe(epochs=2, batch_size=25, shown_images=1000).fitted(count)
    assert (recipe.epochs, recipe.batch_size) == (epochs, batch)


def test_a_recipe_of_epochs_stays_as_it_is():
    recipe = Recipe(epochs=2, batch_size=25)
    assert recipe.fitted(10) is recipe
    with pytest.raises(ValueError, match="batch_size"):
        recipe.steps_per_epoch(10)


def test_weights_that_are_kept_are_shown_nothing():
    recipe = FinetuneRecipe(epochs=2, shown_images=1000, keep_inherited=True)
    before = recipe.before_pruning().fitted(10)
    assert (before.epochs, before.steps_per_epoch(10)) == (0, 1)  # and do not lack images for it
    assert recipe.after_pruning().fitted(10).epochs == 100
    assert Recipe(epochs=0, shown_images=1000).fitted(10).epochs == 0


def test_recovery_keeps_to_what_few_images_need():
    recipe = FinetuneRecipe(epochs=2, mixing=True, keep_statistics=True).after_pruning()
    assert (recipe.mixing, recipe.keep_statistics) == (True, True)


def test_answers_of_images_as_they_are_do_not_serve_mixed_ones():
    with pytest.raises(ValueError, match=r"recipe\.mixing: must be false with the teacher lite0"):
        DistilledRecipe(epochs=1, mixing=True, teacher="lite0")
    assert DistilledRecipe(epochs=1, mixing=True).teacher == "largest"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("crop_share", 0),
        ("crop_share", 1.1),
        ("colour", -0.1),
        ("colour", 1.1),
        ("shown_images", -1),
    ],
)
def test_what_is_no_share_is_refused(field, value):
    with pytest.raises(ValueError, match=rf"recipe\.{field}"):
        Recipe(epochs=1, **{field: value})


def test_a_crop_shows_a_part_of_the_image_and_nothing_else():
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    picture = np.stack([np.tile(ramp, (64, 1)), np.tile(ramp[:, None], 64), np.full((64, 64), 9)])
    batch = torch.from_numpy(np.tile(picture, (200, 1, 1, 1)).astype(np.uint8))
    shown = zoomed(batch, 0.3, np.random.default_rng(1))
    assert shown.shape == batch.shape
    assert shown.dtype == torch.uint8
    assert (shown[:, 2] == 9).all()
    across = (shown[:, 0, 0, -1].int() - shown[:, 0, 0, 0].int()) / 255
    down = (shown[:, 1, -1, 0].int() - shown[:, 1, 0, 0].int()) / 255
    area = (across * down).numpy()
    assert 0.25 < area.min() < 0.45
    assert 0.85 < area.max() <= 1.0
    assert abs(across.log() - down.log()).max() > 0.3  # proportions change


def test_colours_move_within_their_strength():
    grey = torch.full((300, 3, 4, 4), 128, dtype=torch.uint8)
    moved = recoloured(grey, 0.5, np.random.default_rng(2)).int() - 128
    assert moved.abs().max() <= 32
    assert moved.min() < -25
    assert moved.max() > 25
    assert (moved[:, 0] != moved[:, 1]).any()
    assert (recoloured(grey, 0.0, np.random.default_rng(2)) == grey).all()


def test_mixed_images_have_mixed_labels():
    data = images(12)
    pixels, labels = (
        torch.from_numpy(data.pixels).permute(0, 3, 1, 2),
        torch.from_numpy(data.labels).long(),
    )
    recipe = FinetuneRecipe(epochs=1, batch_size=12, crop_padding=0, mixing=True)
    plain = draw_batch(pixels, labels, Recipe(epochs=1, batch_size=12, crop_padding=0), 1, 0, 7)
    mixed = draw_batch(pixels, labels, recipe, 1, 0, 7)
    own = mixed.own[:, None, None, None]
    wanted = own * plain.images + (1 - own) * plain.images[mixed.partners]
    assert (mixed.images - wanted).abs().max() <= 1
    targets = mixed.targets(3)
    torch.testing.assert_close(targets.sum(1), torch.ones(12))
    for row, label, partner, share in zip(
        targets, mixed.labels, mixed.labels[mixed.partners], mixed.own, strict=True
    ):
        wanted = share * F.one_hot(label, 3) + (1 - share) * F.one_hot(partner, 3)
        torch.testing.assert_close(row, wanted)
    assert isinstance(plain, Batch)
    assert plain.targets(3) is plain.labels


@pytest.mark.parametrize("kept", [True, False])
def test_statistics_are_kept_where_the_recipe_says_so(kept, tmp_path):
    network = StaticNetwork(TINY_SPACE.spec(TINY_SPACE.smallest(), 3))
    before = copy.deepcopy(network.state_dict())
    recipe = FinetuneRecipe(
        epochs=1, shown_images=24, batch_size=8, keep_statistics=kept, device="cpu", mixing=True
    )
    finetune(network, images(12), recipe, tmp_path, 0)
    statistics = [norm.running_mean for norm in norms_of(network)]
    own = [value for name, value in before.items() if name.endswith("running_mean")]
    same = [torch.equal(a, b) for a, b in zip(statistics, own, strict=True)]
    assert all(same) if kept else not any(same)
    assert not torch.equal(network.classifier.weight, before["classifier.weight"])
    assert not network.training
