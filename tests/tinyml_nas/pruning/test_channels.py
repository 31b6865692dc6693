"""Channels that are removed are channels that are zero: for networks of both families."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch_pruning
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pruning import silenced
from tests.tinyml_nas.pruning.conftest import SPACES, network_of
from tinyml_nas.network.module import spec_of
from tinyml_nas.pruning.channels import Prunable
from tinyml_nas.pruning.groups import layout_of


@pytest.mark.parametrize("family", SPACES)
@pytest.mark.parametrize("seed", [0, 1])
def test_groups_by_shapes_are_those_that_autograd_finds(family, seed):
    network = network_of(family, seed)
    graph = torch_pruning.DependencyGraph().build_dependency(
        network.requires_grad_(), example_inputs=torch.zeros(1, 3, 32, 32)
    )
    names = {module: name for name, module in network.named_modules()}

    def layers(group):
        modules = (dependency.target.module for dependency, _ in group)
        return frozenset(names[module] for module in modules if module in names)

    groups = graph.get_all_groups(ignored_layers=[network.classifier])
    found = {layers(group): len(group[0].idxs) for group in groups}
    layout = layout_of(spec_of(network))
    foretold = {}
    for group in layout.groups:
        layer = network.get_submodule(group.layer)
        coupled = graph.get_pruning_group(
            layer, torch_pruning.prune_conv_out_channels, list(range(group.width))
        )
        foretold[layers(coupled)] = group.width
    assert foretold == found
    assert len(foretold) == len(layout.groups)


@settings(max_examples=40, deadline=None)
@given(family=st.sampled_from(sorted(SPACES)), seed=st.integers(0, 10_000))
def test_widths_of_a_layout_are_widths_of_the_specification(family, seed):
    space = SPACES[family]()
    layout = layout_of(space.spec(space.sample(np.random.default_rng(seed)), 10))
    assert layout.narrowed(layout.widths) == layout.spec
    rng = np.random.default_rng(seed)
    widths = tuple(int(rng.integers(1, width + 1)) for width in layout.widths)
    assert layout_of(layout.narrowed(widths)).widths == widths


@pytest.mark.parametrize(
    ("family", "seed"), [("mbv3_mcu", 0), ("mbv3_mcu", 5), ("lite0", 0), ("lite0", 4)]
)
def test_a_network_without_channels_computes_what_it_does_with_zeros_there(family, seed):
    network = network_of(family, seed)
    prunable, rng = Prunable(network), np.random.default_rng(seed)
    widths = tuple(int(rng.integers(1, width + 1)) for width in prunable.layout.widths)
    importances = [torch.from_numpy(rng.random(width)) for width in prunable.layout.widths]
    images = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    expected = silenced(network, importances, widths)(images)

    smaller = prunable.keep(importances, widths)

    assert layout_of(spec_of(smaller)).widths == widths
    assert not torch.allclose(network(images), expected, atol=1e-3)
    torch.testing.assert_close(smaller(images).detach(), expected.detach(), rtol=1e-4, atol=1e-4)
    assert smaller.classifier.out_features == 10
