"""A supernet's weights serve any classes; its heads serve only those that they were trained on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from codegen.boards.board import load as load_board
from tests.tinyml_nas.supernet.conftest import space_from
from tinyml_nas.data.cifar10_files import CLASS_NAMES
from tinyml_nas.supernet.families import is_head
from tinyml_nas.supernet.files import adopt, load_supernet, save_supernet
from tinyml_nas.supernet.inherit import inherit, inherit_and_fit
from tinyml_nas.supernet.lite0_network import Lite0Supernet
from tinyml_nas.supernet.lite0_space import Lite0Space
from tinyml_nas.supernet.problem import SupernetProblem
from tinyml_nas.supernet.space import MobileNetV3Space
from tinyml_nas.training.loop import accuracy
from tinyml_nas.types import Images

KINDS = {"lite0": Lite0Space, "mbv3_mcu": MobileNetV3Space}


@pytest.fixture
def tiny_lite0():
    """Lite0 with drawn weights, whose heads know nothing."""
    space = Lite0Space((32,), (2, 3), (3,), (2,), (320,))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        supernet = Lite0Supernet(space, 10)
    supernet.trained = False
    return supernet


def relabelled(images: Images, classes: int) -> Images:
    """Images under other labels: merged where there are fewer than ten, divided where there are more.

    Of forty, four are of one class by the quarter of a picture's mean brightness, so that pixels decide.
    """
    if classes <= 10:
        return Images(images.pixels, (images.labels % classes).astype(np.uint8))
    quarter = images.pixels.mean((1, 2, 3)) // 64
    return Images(images.pixels, (4 * images.labels + quarter).astype(np.uint8))


@pytest.mark.parametrize("option", KINDS)
@pytest.mark.parametrize("classes", [5, 40])
def test_the_shipped_weights_serve_other_classes(option, classes, sample):
    space = space_from(option, KINDS[option])
    train = relabelled(sample.split("train")[:600], classes)
    validation = relabelled(sample.split("validation")[:200], classes)
    supernet = load_supernet(space, classes)
    assert not supernet.trained
    network = inherit(supernet, space.smallest(), train)
    assert network.classifier.out_features == classes
    chance = np.bincount(validation.labels, minlength=classes).max() / len(validation)
    assert accuracy(network, validation) > chance + 0.1
    for name, weight in load_supernet(space, 10).state_dict().items():
        if not is_head(name):
            assert torch.equal(weight, supernet.state_dict()[name]), name


def test_heads_are_kept_for_the_classes_that_they_know(tiny_space, tmp_path):
    names = ("ant", "bee")
    path = tmp_path / "tiny.safetensors"
    blank = load_supernet(dataclasses.replace(tiny_space, checkpoint="untrained"), 2)
    save_supernet(blank, path, names)
    space = dataclasses.replace(tiny_space, checkpoint=str(path))
    assert load_supernet(space, 2, names).trained
    assert load_supernet(space, 2).trained
    for other in (("bee", "ant"), ("ant", "cow")):
        assert not load_supernet(space, 2, other).trained


def test_a_file_that_names_no_classes_knows_those_of_cifar10(mcu_space):
    assert load_supernet(mcu_space, 10, CLASS_NAMES).trained
    other = load_supernet(mcu_space, 10, tuple(f"digit {number}" for number in range(10)))
    assert not other.trained
    assert not other.classifier.weight.any()


def test_a_supernet_starts_from_one_of_other_classes(tiny_space, tmp_path):
    path = tmp_path / "tiny.safetensors"
    untrained = dataclasses.replace(tiny_space, checkpoint="untrained")
    first = load_supernet(untrained, 3)
    save_supernet(first, path, ("ant", "bee", "cow"))
    second = load_supernet(dataclasses.replace(tiny_space, checkpoint="untrained"), 7)
    before = second.classifier.weight.clone()
    adopt(second, path)
    assert torch.equal(second.classifier.weight, before)
    assert torch.equal(second.stem, first.stem.half().float())


def test_statistics_that_come_with_the_weights_are_kept_where_they_tell_more(tiny_lite0, sample):
    """Of a network whose statistics are right the fitted head is better on them than on those of one batch."""
    train = sample.split("train")[:60]
    genotype = tiny_lite0.space.smallest()
    measured, fit = inherit_and_fit(tiny_lite0, genotype, train)
    tiny_lite0.measured = True
    whole, better = inherit_and_fit(tiny_lite0, genotype, train)
    assert better.loss <= fit.loss
    assert better.images == fit.images == 60
    if better.loss == fit.loss:
        assert torch.equal(whole.stem.bn.running_mean, measured.stem.bn.running_mean)
    else:
        assert torch.equal(whole.stem.bn.running_mean, tiny_lite0.stem_norm.mean)


def test_left_out_training_images_count_beside_those_of_validation(tiny_lite0, sample):
    train, validation = sample.split("train")[:60], sample.split("validation")[:20]
    problem = SupernetProblem(tiny_lite0, train, validation, load_board("nucleo_1mb"))
    network, fit = inherit_and_fit(tiny_lite0, tiny_lite0.space.smallest(), train)
    right = 20 * accuracy(network, validation) + fit.correct
    assert problem.error(tiny_lite0.space.smallest()) == pytest.approx(1 - right / 80)
