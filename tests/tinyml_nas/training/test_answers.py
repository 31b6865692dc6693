"""A teacher's answers: computed once, kept, and what networks learn from them."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch

from tests.support.lite0 import supernet
from tests.support.spaces import TINY_SPACE
from tinyml_nas.network.files import save
from tinyml_nas.network.shipped import TEACHERS, NoSuchNetworkError
from tinyml_nas.supernet.network import Supernet
from tinyml_nas.supernet.train import train_supernet
from tinyml_nas.training import answers
from tinyml_nas.training.answers import answers_of
from tinyml_nas.training.loop import accuracy, finetune, inputs_of
from tinyml_nas.training.recipes import DistilledRecipe, TaughtSupernetRecipe
from tinyml_nas.types import Images


@pytest.fixture
def small_network(small_network):
    """One of its own, as a teacher and a student are changed: other tests share the other."""
    return copy.deepcopy(small_network)


@pytest.fixture
def teacher(small_network, tmp_path):
    folder = tmp_path / "teacher"
    save(small_network, folder)
    return folder


def test_answers_are_the_teachers_probabilities(small_network, sample, tmp_path):
    images = sample.split("train")[:300]  # more than one batch
    found = answers_of(small_network, images, tmp_path / "work")
    with torch.no_grad():
        logits = [small_network(batch) for batch in inputs_of(images, small_network.resolution)]
    torch.testing.assert_close(found, torch.cat(logits).softmax(1))


def test_a_killed_run_goes_on_with_the_answers_that_it_has(
    small_network, sample, tmp_path, monkeypatch
):
    monkeypatch.setattr(answers, "PART", 20)
    images, whole = sample.split("train")[:50], tmp_path / "whole"
    expected, asked = answers_of(small_network, images, whole), []
    forward = small_network.forward
    monkeypatch.setattr(
        small_network, "forward", lambda batch: asked.append(len(batch)) or forward(batch)
    )
    work = tmp_path / "killed"

    def kill(done, total):
        if done > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers_of(small_network, images, work, kill)
    (kept,) = work.iterdir()
    asked.clear()
    assert torch.equal(answers_of(small_network, images, work), expected)
    assert asked == [20, 10]  # the first part was kept
    kept.write_bytes(kept.read_bytes()[:20])  # as a power cut leaves it
    asked.clear()
    assert torch.equal(answers_of(small_network, images, work), expected)
    assert asked == [20]


def test_a_teacher_that_is_not_there_is_named():
    with pytest.raises(NoSuchNetworkError, match=r"no folder nobody, .*task=train_teacher"):
        TEACHERS.folder("nobody")


def test_a_teacher_is_checked_before_any_work(teacher, tmp_path):
    TEACHERS.check(str(teacher), 10)
    with pytest.raises(NoSuchNetworkError, match="10 classes apart, and the data set has 8"):
        TEACHERS.check(str(teacher), 8)
    with pytest.raises(NoSuchNetworkError, match=r"no network's folder: it has no spec\.json"):
        TEACHERS.check(str(tmp_path), 10)


def test_a_supernet_learns_what_its_teacher_says(sample, tmp_path):
    """All labels are 0; the answers say 1, and weigh all of the largest network's loss."""
    images = sample.split("train")[:64]
    images = Images(images.pixels, np.zeros_like(images.labels))
    said = torch.zeros(64, 10)
    said[:, 1] = 1
    recipe = TaughtSupernetRecipe(
        epochs=12, batch_size=32, optimizer="adamw", learning_rate=0.01, teacher_share=1.0
    )
    torch.manual_seed(0)
    network = Supernet(TINY_SPACE, 10)
    train_supernet(network, images, recipe, tmp_path, seed=0, answers=said)
    for genotype in (TINY_SPACE.smallest(), TINY_SPACE.largest()):
        with torch.no_grad():
            logits = network(torch.randn(16, 3, 16, 16), genotype)
        assert (logits.argmax(1) == 1).all()


def test_the_supernet_from_imagenet_trains_and_resumes(sample, tmp_path):
    images = sample.split("train")[:48]
    space = dataclasses.replace(
        supernet().space, resolutions=(32,), last_stages=(4, 5), expansions=(2, 3)
    )
    recipe = TaughtSupernetRecipe(
        epochs=2,
        batch_size=16,
        optimizer="adamw",
        learning_rate=0.001,
        checkpoint_steps=2,
        random_networks=1,
        average_steps=3,
    )
    said = torch.full((48, 10), 0.1)

    class KilledError(Exception):
        pass

    def kill(done, total):
        if done == 3:
            raise KilledError

    def trained(folder, progress=lambda done, total: None):
        network = type(supernet())(space, 10)
        state = {k: v for k, v in supernet().state_dict().items() if k in network.state_dict()}
        network.load_state_dict(state)
        train_supernet(network, images, recipe, folder, 0, progress, said)
        return network.state_dict()

    whole = trained(tmp_path / "whole")
    with pytest.raises(KilledError):
        trained(tmp_path / "killed", kill)
    again = trained(tmp_path / "killed")
    assert all(torch.equal(value, again[name]) for name, value in whole.items())
    assert not torch.equal(whole["stem"], supernet().stem)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_out_of_range_names_its_key(share):
    with pytest.raises(ValueError, match=r"recipe\.teacher_share: must be in \[0, 1\]"):
        TaughtSupernetRecipe(epochs=1, teacher_share=share)


def test_an_answer_depends_on_its_image_alone(small_network, sample, tmp_path):
    """A teacher in training mode would answer by its batch."""
    images = sample.split("train")[:30]
    together = answers_of(small_network.train(), images, tmp_path / "a")
    alone = answers_of(small_network, images[:10], tmp_path / "b")
    torch.testing.assert_close(together[:10], alone)


def test_a_network_learns_what_it_is_told(small_network, sample, tmp_path):
    """All labels are 0; the answers say 1, and weigh all of the loss."""
    images = sample.split("train")[:64]
    images = Images(images.pixels, np.zeros_like(images.labels))
    said = torch.zeros(64, 10)
    said[:, 1] = 1
    recipe = DistilledRecipe(
        epochs=12, batch_size=32, learning_rate=0.05, teacher="anyone", teacher_share=1.0
    )
    finetune(small_network, images, recipe, tmp_path, seed=0, answers=said)
    assert accuracy(small_network, Images(images.pixels, np.ones_like(images.labels))) > 0.9
