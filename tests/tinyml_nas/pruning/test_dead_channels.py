from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from tests.support.pruning import pruned
from tinyml_nas.network.cost import thesis_size_bytes
from tinyml_nas.network.module import StaticNetwork, spec_of
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pruning.bn_scale import BnScale
from tinyml_nas.pruning.fpgm import FPGM
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.pruning.l2 import L2


def noise(count=4):
    return torch.randn(count, 3, 28, 28, generator=torch.Generator().manual_seed(0))


def twice_as_wide(spec: NetworkSpec) -> NetworkSpec:
    blocks = tuple(
        replace(
            block,
            in_channels=2 * block.in_channels,
            hidden_channels=2 * block.hidden_channels,
            out_channels=2 * block.out_channels,
            se_channels=2 * block.se_channels,
        )
        for block in spec.blocks
    )
    return replace(
        spec,
        stem_channels=2 * spec.stem_channels,
        blocks=blocks,
        final_channels=2 * spec.final_channels,
        features=2 * spec.features,
    )


def hidden_among_dead_channels(narrow: StaticNetwork) -> StaticNetwork:
    """A network twice as wide that computes the same: each layer's channels lie among dead ones.

    Layers of one width share the places, so that residual sums agree.
    """
    rng = random.Random(5)
    places: dict[int, list[int]] = {}

    def at(width: int) -> list[int]:
        return places.setdefault(width, sorted(rng.sample(range(2 * width), width)))

    wide = StaticNetwork(twice_as_wide(spec_of(narrow))).eval()
    with torch.no_grad():
        for name, source in narrow.state_dict().items():
            target = wide.state_dict()[name]
            if target.shape == source.shape:
                target.copy_(source)
                continue
            grows = [a != b for a, b in zip(source.shape, target.shape, strict=True)]
            target.fill_(1.0 if name.endswith("running_var") else 0.0)
            index = tuple(
                torch.tensor(at(size)) if grow else torch.arange(size)
                for size, grow in zip(source.shape, grows, strict=True)
            )
            target[torch.meshgrid(*index, indexing="ij")] = source
    return wide


@pytest.mark.parametrize("kind", [L1, L2, FPGM, BnScale])
def test_dead_channels_go_and_the_network_stays(small_network, kind):
    wide = hidden_among_dead_channels(small_network)
    assert torch.allclose(wide(noise()), small_network(noise()), rtol=1e-4, atol=1e-4)

    spec = spec_of(small_network)
    keep_ratio = thesis_size_bytes(spec) / thesis_size_bytes(spec_of(wide))
    found = pruned(kind(keep_ratio), wide)

    assert spec_of(found) == spec
    expected = small_network.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in found.state_dict().items())
