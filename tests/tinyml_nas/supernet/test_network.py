"""The elastic network is each of its static ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tinyml_nas.supernet.network import ElasticKernel, Supernet, depthwise


@pytest.fixture(scope="module")
def supernet(tiny_space):
    torch.manual_seed(0)
    network = Supernet(tiny_space, 10)
    for parameter in network.parameters():  # no zeros: every weight must matter
        torch.nn.init.normal_(parameter, std=0.3)
    return network


@pytest.mark.parametrize("seed", range(6))
def test_extracted_networks_compute_what_the_supernet_computes(supernet, seed):
    space = supernet.space
    genotype = space.sample(np.random.default_rng(seed))
    images = torch.randn(4, 3, 24, 24)
    static = supernet.extract(genotype).train()  # BatchNorm by the batch, as in the supernet
    torch.testing.assert_close(static(images), supernet(images, genotype))


def test_networks_differ(supernet):
    images = torch.randn(4, 3, 24, 24)
    small = supernet(images, supernet.space.smallest())
    large = supernet(images, supernet.space.largest())
    assert (small - large).abs().max() > 0.1


@pytest.mark.parametrize("side", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_is_the_padded_convolution(side, kernel, stride):
    maps, weight = torch.randn(2, 6, side, side), torch.randn(6, 1, kernel, kernel)
    expected = F.conv2d(maps, weight, stride=stride, padding=kernel // 2, groups=6)
    torch.testing.assert_close(depthwise(maps, weight, stride), expected)


def test_kernel_transforms_start_at_the_centre_and_chain():
    kernel = ElasticKernel(4, (3, 5, 7))
    torch.testing.assert_close(kernel(2, 3), kernel.weight[:2, :, 2:-2, 2:-2])
    torch.nn.init.normal_(kernel.transforms["7to5"])
    torch.nn.init.normal_(kernel.transforms["5to3"])
    centre = kernel.weight[:4, :, 1:-1, 1:-1].reshape(4, 25)
    five = centre + centre @ kernel.transforms["7to5"].T
    torch.testing.assert_close(kernel(4, 5).reshape(4, 25), five)
    inner = five.reshape(4, 5, 5)[:, 1:-1, 1:-1].reshape(4, 9)
    three = inner + inner @ kernel.transforms["5to3"].T
    torch.testing.assert_close(kernel(4, 3).reshape(4, 9), three)
