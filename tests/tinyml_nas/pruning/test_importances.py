"""Each criterion against its formula, written out for one group of one network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.support.pruning import images, pruned
from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.pruning.bn_scale import BnScale
from tinyml_nas.pruning.channels import Channels, Prunable
from tinyml_nas.pruning.fpgm import FPGM
from tinyml_nas.pruning.gradients import take_gradients
from tinyml_nas.pruning.knee import L1Knee, knee_of
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.pruning.l2 import L2
from tinyml_nas.pruning.taylor import Taylor
from tinyml_nas.training.loop import inputs_of

RNG = np.random.default_rng(0)


def group_of(network: StaticNetwork, layer: str) -> Channels:
    prunable = Prunable(network)
    (index,) = [i for i, group in enumerate(prunable.layout.groups) if group.layer == layer]
    return prunable.channels()[index]


def test_of_the_last_convolution_l1_and_l2_are_norms_of_all_that_goes_with_a_filter(small_network):
    """Its filter, its BatchNorm's scale and the weights that read it."""
    final, mix = small_network.final, small_network.mix
    own, scale, reading = final.conv.weight, final.bn.weight, mix.weight
    channels = group_of(small_network, "final.conv")
    l1 = own.abs().sum((1, 2, 3)) + scale.abs() + reading.abs().sum((0, 2, 3))
    torch.testing.assert_close(L1(0.5).importances(channels, RNG), l1.detach())
    l2 = own.square().sum((1, 2, 3)) + scale.square() + reading.square().sum((0, 2, 3))
    torch.testing.assert_close(L2(0.5).importances(channels, RNG), l2.detach().sqrt())


def test_a_residual_sum_counts_every_layer_on_it(small_network):
    """The stem's channels run through blocks without expansion or change of width."""
    blocks = small_network.blocks
    channels = group_of(small_network, "stem.conv")
    puts_out = [small_network.stem.conv] + [
        b.project.conv for b in blocks if b.residual and b.project.conv.out_channels == 8
    ]
    assert len(channels.weights) > len(puts_out) >= 2
    rows = sum(layer.weight.abs().sum((1, 2, 3)) for layer in puts_out)
    assert (L1(0.5).importances(channels, RNG) > rows.detach()).all()


def test_the_largest_filters_are_kept_in_their_order(small_network):
    importances = L1(0.5).importances(group_of(small_network, "final.conv"), RNG)
    smaller = pruned(L1(0.49), small_network)
    count = smaller.final.conv.out_channels
    assert count < len(importances)
    kept = importances.argsort(descending=True)[:count].sort().values
    assert torch.equal(smaller.final.bn.bias, small_network.final.bn.bias[kept])
    assert torch.equal(smaller.final.bn.running_mean, small_network.final.bn.running_mean[kept])


def test_bn_scale_is_the_mean_scale_and_a_norm_where_there_is_none(small_network):
    final = group_of(small_network, "final.conv")
    torch.testing.assert_close(
        BnScale(0.5).importances(final, RNG), small_network.final.bn.weight.detach().abs()
    )
    mix = group_of(small_network, "mix")
    weights = small_network.mix.weight.abs().sum((1, 2, 3))
    reading = small_network.classifier.weight.abs().sum(0)
    torch.testing.assert_close(BnScale(0.5).importances(mix, RNG), (weights + reading).detach())


def test_fpgm_spares_the_filter_that_others_can_stand_in_for():
    """By He et al.'s own argument: the smallest filter stays if it is unlike the others."""
    filters = torch.tensor([[4.0, 0.0], [4.1, 0.0], [4.0, 0.1], [0.1, 0.0]])
    channels = Channels(4, (filters,), (torch.zeros_like(filters),), ())
    importances = FPGM(0.5).importances(channels, RNG)
    assert importances.argmax() == 3
    assert L1(0.5).importances(channels, RNG).argmin() == 3
    distances = (filters[:, None] - filters[None]).norm(dim=2).sum(1)
    torch.testing.assert_close(importances, distances)


def test_taylor_tells_what_the_loss_does_without_a_channel(small_network):
    """To first order: taking a share of a filter away changes the loss by the share of Σ w ∂L/∂w."""
    calibration = images()  # more than one batch
    prunable = Prunable(small_network)
    take_gradients(prunable.network, calibration)
    (index,) = [i for i, g in enumerate(prunable.layout.groups) if g.layer == "mix"]
    channels = prunable.channels()[index]

    @torch.no_grad()
    def loss(network: StaticNetwork) -> float:
        logits = torch.cat([network(batch) for batch in inputs_of(calibration, network.resolution)])
        return float(
            F.cross_entropy(logits.double(), torch.from_numpy(calibration.labels.astype(int)))
        )

    slopes = (channels.weights[0] * channels.gradients[0]).sum(1)
    channel, share = int(slopes.abs().argmax()), 0.01
    network = prunable.network
    before = loss(network)
    with torch.no_grad():
        network.mix.weight[channel] *= 1 - share
    assert before - loss(network) == pytest.approx(share * float(slopes[channel]), rel=0.05)
    squares = sum(
        ((w * g).sum(1)).square() for w, g in zip(channels.weights, channels.gradients, strict=True)
    )
    torch.testing.assert_close(Taylor(0.5).importances(channels, RNG), squares)
    assert channels.gradients[0].abs().sum() > 0


def test_a_knee_is_where_the_curve_leaves_the_line_farthest():
    assert knee_of([9, 8.9, 8.8, 1, 0.9, 0.8]) == 3
    assert knee_of([9.0, 2, 1.5, 1, 0.5, 0]) == 1
    assert knee_of([5, 4, 3, 2, 1]) == 5  # a line has none
    assert knee_of([3, 3, 3]) == 3
    assert knee_of([2, 1]) == 2


def test_the_knee_finds_what_was_left_dead(small_network):
    """Half of a group's filters next to zero go; a multiple at least stays of each group."""
    network = StaticNetwork(Prunable(small_network).layout.spec).eval()
    network.load_state_dict(small_network.state_dict())
    with torch.no_grad():
        for tensor in (network.final.conv.weight, network.final.bn.weight):
            tensor[1::2] *= 1e-4
        network.mix.weight[:, 1::2] *= 1e-4
    smaller = pruned(L1Knee(), network)
    kept = smaller.final.bn.bias
    assert kept.numel() <= 24  # of 48
    assert set(kept.tolist()) <= set(network.final.bn.bias[::2].tolist())
    assert all(width >= 4 for width in Prunable(smaller).layout.widths)
    assert torch.isfinite(smaller(torch.zeros(1, 3, 28, 28))).all()
