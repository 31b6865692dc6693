"""Networks of both families as they come after training: statistics and shifts that are not trivial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.lite0 import draw_norms, lite0_space
from tests.tinyml_nas.supernet.conftest import space_from
from tinyml_nas.network.module import StaticNetwork

SPACES = {"mbv3_mcu": lambda: space_from("mbv3_mcu"), "lite0": lite0_space}


def network_of(family: str, seed: int) -> StaticNetwork:
    """A random network of a shipped space, with random weights, at 32 pixels."""
    space = SPACES[family]()
    spec = space.spec(space.sample(np.random.default_rng(seed)), 10)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = StaticNetwork(replace(spec, resolution=32)).eval()
        draw_norms(network)
    return network


@pytest.fixture(scope="module", params=sorted(SPACES))
def network(request) -> StaticNetwork:
    return network_of(request.param, 3)
