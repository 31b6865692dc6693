"""What is left of a network after pruning, fitted in closed form to what it computed before."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.support.pruning import images, pruned
from tinyml_nas.network.files import load
from tinyml_nas.network.module import StaticNetwork, spec_of
from tinyml_nas.network.shipped import NETWORKS
from tinyml_nas.pruning import reconstruction
from tinyml_nas.pruning.channels import Prunable, most_important
from tinyml_nas.pruning.groups import layout_of
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.pruning.reconstruction import fit, reconstruct
from tinyml_nas.training.loop import inputs_of, recalibrate

FEW = images()[:60]


@pytest.fixture(scope="module", params=["omega_256kb", "lite0_801kb"])
def network(request) -> StaticNetwork:
    """A trained one of either family: with random weights all images look alike."""
    return load(NETWORKS.folder(request.param)).eval()


def logits(network: StaticNetwork) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([network(batch) for batch in inputs_of(FEW, network.resolution)])


@torch.no_grad()
def doubled(network: StaticNetwork) -> tuple[StaticNetwork, list[torch.Tensor], tuple[int, ...]]:
    """A network whose last hidden channels are copies of its first ones, and what keeps no copy."""
    network, scores, widths = copy.deepcopy(network), [], []
    layout = layout_of(spec_of(network))
    for group in layout.groups:
        scores.append(torch.arange(group.width, 0, -1).float())
        widths.append(group.width)
    for index, at in enumerate(layout.blocks):
        block = network.blocks[index]
        width = layout.groups[at.hidden].width
        if block.expand is None or block.se is not None or width < 8:
            continue
        for layer in (block.expand, block.depthwise):
            for tensor in (*layer.parameters(), *layer.bn.buffers()):
                if tensor.dim():
                    tensor[-4:] = tensor[:4]
        widths[at.hidden] = width - 4
    return network, scores, tuple(widths)


def test_channels_that_others_equal_are_made_up_for(network):
    network, scores, widths = doubled(network)
    smaller = Prunable(network).keep(scores, widths)
    whole = logits(network)
    lost = (logits(smaller) - whole).square().mean()
    assert lost > 0.01 * whole.square().mean()
    reconstruct(smaller, network, most_important(scores, widths), FEW)
    assert (logits(smaller) - whole).square().mean() < 1e-3 * lost


def test_a_pruned_network_comes_nearer_to_the_whole_one(network):
    """Nearer than by measuring statistics anew, on images that were not looked at."""
    kinds = (L1(0.5), L1(0.5, reconstruction_images=100))
    plain, fitted = (pruned(kind, network) for kind in kinds)
    assert spec_of(plain) == spec_of(fitted)
    recalibrate(plain, images()[:100])
    far, near = ((logits(one) - logits(network)).square().mean() for one in (plain, fitted))
    assert near < 0.7 * far
    before = plain.blocks[3].project.conv.weight.flatten(1).norm(dim=1)
    after = fitted.blocks[3].project.conv.weight.flatten(1).norm(dim=1)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-6)


def test_statistics_measured_anew_on_the_same_images_change_nothing():
    """One batch of images, of which the whole network's statistics are too."""
    network = load(NETWORKS.folder("omega_256kb")).eval()
    recalibrate(network, FEW)
    prunable = Prunable(network)
    scores = [group.l1_norms() for group in prunable.channels()]
    widths = [max(group.width // 2, 1) for group in prunable.layout.groups]
    smaller = prunable.keep(scores, widths)
    reconstruct(smaller, network, most_important(scores, widths), FEW)
    fitted = logits(smaller)
    recalibrate(smaller, FEW)
    assert (logits(smaller) - fitted).square().mean() < 1e-4 * fitted.square().mean()


def test_a_dense_layer_is_ridge_regression_around_what_it_was():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 5)), rng.normal(size=(40, 3))
    layer = torch.nn.Linear(5, 3)
    before = layer.weight.detach().numpy().astype(float)
    pairs = [(torch.from_numpy(x).float(), torch.from_numpy(y).float())]
    with torch.no_grad():
        fit(layer, None, iter(pairs))
    strength = reconstruction.RIDGE * (x**2).mean() * 40
    centred, around = x - x.mean(0), y - y.mean(0) - (x - x.mean(0)) @ before.T
    moved = np.linalg.solve(centred.T @ centred + strength * np.eye(5), centred.T @ around).T
    np.testing.assert_allclose(layer.weight.detach().numpy(), before + moved, atol=1e-5)
    bias = y.mean(0) - (before + moved) @ x.mean(0)
    np.testing.assert_allclose(layer.bias.detach().numpy(), bias, atol=1e-5)


@torch.no_grad()
def test_a_layer_that_is_given_nothing_but_zeros_keeps_its_weights():
    layer = nn.Conv2d(6, 4, 1)
    before, target = layer.weight.clone(), torch.randn(3, 4, 2, 2)
    fit(layer, None, iter([(torch.zeros(3, 6, 2, 2), target)]))
    torch.testing.assert_close(layer.weight, before)
    torch.testing.assert_close(layer.bias, target.mean((0, 2, 3)))
