"""A teacher's answers: computed once, kept, and what a supernet learns from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from tests.support.lite0 import supernet
from tinyml_nas.network.files import save
from tinyml_nas.network.shipped import TEACHERS, NoSuchNetworkError
from tinyml_nas.supernet import answers
from tinyml_nas.supernet.answers import answers_of
from tinyml_nas.supernet.network import Supernet
from tinyml_nas.supernet.train import train_supernet
from tinyml_nas.training.loop import inputs_of
from tinyml_nas.training.recipes import TaughtSupernetRecipe
from tinyml_nas.types import Artifact, Images

CPU = torch.device("cpu")


@pytest.fixture
def teacher(small_network, tmp_path):
    folder = tmp_path / "teacher"
    save(small_network, folder)
    return Artifact(folder, "7eac")


def test_answers_are_the_teachers_probabilities(teacher, small_network, sample, tmp_path):
    images = sample.split("train")[:300]  # more than one batch
    found = answers_of(teacher, images, tmp_path / "work", CPU)
    with torch.no_grad():
        logits = [small_network(batch) for batch in inputs_of(images, small_network.resolution)]
    torch.testing.assert_close(found, torch.cat(logits).softmax(1))


def test_answers_are_computed_once(teacher, sample, tmp_path, monkeypatch):
    images, work = sample.split("train")[:50], tmp_path / "work"
    first = answers_of(teacher, images, work, CPU)
    monkeypatch.setattr(answers, "load", lambda folder: pytest.fail("computed again"))
    assert torch.equal(answers_of(teacher, images, work, CPU), first)
    monkeypatch.undo()
    (kept,) = work.iterdir()
    kept.write_bytes(kept.read_bytes()[:20])  # a kill while it was written
    assert torch.equal(answers_of(teacher, images, work, CPU), first)


def test_a_teacher_of_fewer_classes_is_refused(teacher, sample, tmp_path):
    images = sample.split("train")[:20]
    labelled = Images(images.pixels, np.full_like(images.labels, 10))
    with pytest.raises(ValueError, match=r"train_supernet\.teacher: .* knows 10 classes"):
        answers_of(teacher, labelled, tmp_path / "work", CPU)


def test_a_teacher_that_is_not_there_is_named():
    with pytest.raises(NoSuchNetworkError, match=r"no folder nobody, .*task=train_teacher"):
        TEACHERS.folder("nobody")


def test_a_teacher_is_checked_before_any_work(teacher, tmp_path):
    TEACHERS.check(str(teacher.path), 10)
    with pytest.raises(NoSuchNetworkError, match="10 classes apart, and the data set has 8"):
        TEACHERS.check(str(teacher.path), 8)
    with pytest.raises(NoSuchNetworkError, match=r"no network's folder: it has no spec\.json"):
        TEACHERS.check(str(tmp_path), 10)


def test_a_supernet_learns_what_its_teacher_says(tiny_space, sample, tmp_path):
    """All labels are 0; the answers say 1, and weigh all of the largest network's loss."""
    images = sample.split("train")[:64]
    images = Images(images.pixels, np.zeros_like(images.labels))
    said = torch.zeros(64, 10)
    said[:, 1] = 1
    recipe = TaughtSupernetRecipe(
        epochs=12, batch_size=32, optimizer="adamw", learning_rate=0.01, teacher_share=1.0
    )
    torch.manual_seed(0)
    network = Supernet(tiny_space, 10)
    train_supernet(network, images, recipe, tmp_path, seed=0, answers=said)
    for genotype in (tiny_space.smallest(), tiny_space.largest()):
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


def test_an_answer_depends_on_its_image_alone(teacher, sample, tmp_path):
    """A teacher in training mode would answer by its batch."""
    images = sample.split("train")[:30]
    together = answers_of(teacher, images, tmp_path / "a", CPU)
    alone = answers_of(teacher, images[:10], tmp_path / "b", CPU)
    torch.testing.assert_close(together[:10], alone)
