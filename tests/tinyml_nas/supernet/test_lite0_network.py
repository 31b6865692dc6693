"""The elastic Lite0 is each of its static networks, and the whole one is ImageNet's."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from codegen.boards.board import load as load_board
from tests.support.lite0 import lite0_space, supernet, whole
from tests.tinyml_nas.supernet.conftest import space_from
from tinyml_nas.supernet import checkpoint
from tinyml_nas.supernet.checkpoint import CheckpointError
from tinyml_nas.supernet.files import load_supernet, save_supernet
from tinyml_nas.supernet.lite0_network import Lite0Supernet, same_depthwise
from tinyml_nas.supernet.lite0_space import Lite0Space
from tinyml_nas.supernet.lite0_start import deviation, importance
from tinyml_nas.supernet.problem import SupernetProblem

SPACE = lite0_space()


def images(side: int, count: int = 4) -> torch.Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(side))


def test_the_whole_network_computes_what_it_computed_on_imagenet():
    """Its features are the same channels, sorted: nothing but their order has changed."""
    network = supernet().extract(SPACE.largest()).eval()
    with torch.no_grad():
        found, expected = network.features(images(96)), whole().features(images(96))
    torch.testing.assert_close(found.sort(1).values, expected.sort(1).values)


@pytest.mark.parametrize("last", [4, 5, 6])
def test_a_network_that_ends_early_computes_the_first_stages(last):
    genotype = SPACE.largest()
    genotype[1] = SPACE.last_stages.index(last)
    network = supernet().extract(genotype).eval()
    with torch.no_grad():
        y = whole().stem(images(96))
        for block in whole().blocks[: len(network.blocks)]:
            y = block(y)
        torch.testing.assert_close(network.features(images(96)), y.mean((2, 3)))
    assert network.final is None
    assert network.mix is None


@pytest.mark.parametrize("seed", range(12))
def test_extracted_networks_compute_what_the_supernet_computes(seed):
    genotype = SPACE.sample(np.random.default_rng(seed))
    batch = images(SPACE.architecture(genotype).resolution)
    static = supernet().extract(genotype).train()  # BatchNorm by the batch, as in the supernet
    with torch.no_grad():
        expected = supernet()(batch, genotype)
    torch.testing.assert_close(static(batch), expected, atol=1e-4, rtol=1e-4)


def test_narrow_blocks_keep_the_channels_that_matter_most():
    block, source = supernet().stages[2][0], whole().blocks[5]
    scores = importance(source)
    kept = source.depthwise.conv.weight[scores.argsort(descending=True)[:7]]
    assert torch.equal(block.depthwise.weight[:7], kept)
    assert (scores > 0).all()


def test_a_channels_deviation_is_that_of_its_activations():
    norm = nn.BatchNorm2d(4)
    norm.weight.data = torch.tensor([1.0, 1e-6, 2.0, 1.0])
    norm.bias.data = torch.tensor([0.0, 1.0, 5.0, -20.0])
    noise = torch.randn(200_000, 4, generator=torch.Generator().manual_seed(0))
    measured = (norm.bias + norm.weight * noise).clamp(0, 6).std(0)
    torch.testing.assert_close(deviation(norm).detach(), measured.detach(), atol=0.01, rtol=0.02)


@pytest.mark.parametrize("side", [2, 3, 6, 8])
@pytest.mark.parametrize("kernel", [3, 5])
def test_depthwise_pads_as_tensorflow_does(side, kernel):
    maps, weight = torch.randn(2, 6, side, side), torch.randn(6, 1, kernel, kernel)
    reach = kernel // 2 if side % 2 else kernel // 2 - 1
    rows = F.pad(maps, (reach, kernel // 2, reach, kernel // 2))
    expected = F.conv2d(rows, weight, stride=2, groups=6)
    torch.testing.assert_close(same_depthwise(maps, weight, 2), expected)


def test_an_untrained_supernet_gets_heads_that_are_fitted(sample):
    start = supernet()
    start.trained = False
    train, validation = sample.split("train")[:500], sample.split("validation")[:200]
    problem = SupernetProblem(start, train, validation, load_board("nucleo_1mb"))
    genotype = SPACE.smallest()
    error = problem.error(genotype)
    assert error < 0.8  # chance is 0.9
    assert problem.error(genotype) == error
    start.trained = True
    assert problem.error(genotype) > error


def test_a_checkpoint_comes_back_and_belongs_to_its_space(tmp_path):
    path = tmp_path / "lite0.safetensors"
    save_supernet(supernet(), path)
    space = dataclasses.replace(SPACE, checkpoint=str(path))
    loaded = load_supernet(space, 10)
    assert isinstance(loaded, Lite0Supernet)
    assert loaded.trained
    for name, value in supernet().state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value.half().float())
    with pytest.raises(CheckpointError, match="another space"):
        load_supernet(dataclasses.replace(space, expansions=(2, 6)), 10)
    with pytest.raises(CheckpointError, match="another space"):
        load_supernet(dataclasses.replace(space, checkpoint="mbv3_mcu"), 10)


def test_without_a_checkpoint_the_weights_are_imagenets(monkeypatch, tmp_path):
    weights = tmp_path / "weights.pth"
    monkeypatch.setattr(checkpoint, "imagenet_file", lambda: weights)
    assert checkpoint.checkpoint_path(SPACE) == weights
    assert checkpoint.start_path(SPACE) == weights


def test_the_shipped_checkpoint_is_of_the_shipped_space_and_ranks_its_networks(sample):
    """Inherited weights score far above chance, and a larger network above the smallest."""
    space = space_from("lite0", Lite0Space)
    loaded = load_supernet(space, 10)
    assert loaded.trained
    board = load_board("nucleo_1mb")
    validation = sample.split("validation")[:300]
    problem = SupernetProblem(loaded, sample.split("train")[:1000], validation, board)
    deeper = space.smallest()
    deeper[space.upper > 0] = 1  # the second option of every gene
    small, large = problem.error(space.smallest()), problem.error(space.canonical(deeper))
    assert large < small < 0.4
