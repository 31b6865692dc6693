"""A wide Lite0 space, and its supernet from ImageNet's weights or, without the extra, from noise."""

from __future__ import annotations

from functools import cache

import torch

from tinyml_nas.network.imagenet import imagenet_lite0
from tinyml_nas.network.lite0 import lite0_spec
from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.network.pretrained import PretrainingError
from tinyml_nas.supernet.lite0_network import Lite0Supernet
from tinyml_nas.supernet.lite0_space import Lite0Space
from tinyml_nas.supernet.lite0_start import fill


def lite0_space() -> Lite0Space:
    """All that a space over Lite0 may leave out; the shipped one leaves out less."""
    return Lite0Space(
        resolutions=(32, 40, 48, 56, 64, 80, 96),
        last_stages=(4, 5, 6, 7),
        kernels=(3, 5),
        expansions=(2, 3, 4, 6),
        final_channels=(320, 640, 1280),
    )


@cache
def whole() -> StaticNetwork:
    """ImageNet's network; random weights and statistics of its shape where the extra is missing."""
    try:
        return imagenet_lite0(96)
    except PretrainingError:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = StaticNetwork(lite0_spec(96, 1000))
            draw_norms(network)
        return network.eval()


def draw_norms(network: StaticNetwork) -> None:
    """Give BatchNorms scales, shifts and statistics that are not trivial, as training does."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.3)
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)


@cache
def supernet() -> Lite0Supernet:
    """Its supernet, filled from ``whole``; tests leave it as it is."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = Lite0Supernet(lite0_space(), 10)
    fill(made, whole())
    return made
