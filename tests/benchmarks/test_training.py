"""The parts of the training benchmarks that a figure depends on."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from benchmarks.ranking import interval, trained
from benchmarks.training import BATCH, WARM_UP_STEPS, OneByOne, measured, read
from tinyml_nas.supernet.space import MobileNetV3Space
from tinyml_nas.training.base import Recipe
from tinyml_nas.training.recipes import SupernetRecipe


def test_the_clock_leaves_the_warm_up_out():
    def run(clock):
        for done in range(1, 100):
            time.sleep(0.2 if done <= WARM_UP_STEPS else 0.01)
            clock(done, 99)

    rate = measured(run, steps=5, device=torch.device("cpu"))
    assert 0.3 * BATCH / 0.01 < rate <= BATCH / 0.01


def test_the_plain_loader_gives_shifted_normalised_images(sample):
    images = sample.split("train")[:8]
    dataset = OneByOne(images)
    for index in range(8):
        pixels, label = dataset[index]
        assert pixels.shape == (3, 32, 32)
        assert -1 <= float(pixels.min()) < float(pixels.max()) <= 1
        assert label == images.labels[index]


def test_the_shipped_options_are_read():
    assert MobileNetV3Space(**read("supernet/mbv3_mcu")).features > 0
    assert SupernetRecipe(**read("train_supernet/mbv3_mcu")).epochs > 0


def test_the_interval_of_tau_holds_it_and_is_sure_of_a_perfect_order():
    rng = np.random.default_rng(0)
    truth = rng.random(12)
    assert interval(truth, 2 * truth) == (pytest.approx(1), pytest.approx(1))
    low, high = interval(truth, truth + rng.random(12))
    assert -1 < low < high < 1


def test_a_network_that_was_trained_is_not_trained_again(tmp_path):
    (tmp_path / "accuracy.json").write_text("0.75")
    assert trained(None, None, None, Recipe(epochs=1), tmp_path, seed=0) == 0.75
