from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
import torch

from tinyml_nas.network.cost import thesis_size_bytes
from tinyml_nas.network.module import StaticNetwork, rebuild, spec_of
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.pruning.none import NoPruning


def images(count=4):
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


def test_dead_channels_go_and_the_network_stays(small_network):
    wide = hidden_among_dead_channels(small_network)
    assert torch.allclose(wide(images()), small_network(images()), rtol=1e-4, atol=1e-4)

    spec = spec_of(small_network)
    keep_ratio = thesis_size_bytes(spec) / thesis_size_bytes(spec_of(wide))
    pruned = L1(keep_ratio).prune(wide, thesis_size_bytes)

    assert spec_of(pruned) == spec
    expected = small_network.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in pruned.state_dict().items())


@pytest.mark.parametrize("keep_ratio", [0.33, 0.49, 0.8])
def test_pruned_network_keeps_its_share_and_its_classes(small_network, keep_ratio):
    pruned = L1(keep_ratio).prune(small_network, thesis_size_bytes)
    before, after = spec_of(small_network), spec_of(pruned)
    share = thesis_size_bytes(after) / thesis_size_bytes(before)
    assert keep_ratio - 0.08 < share <= keep_ratio  # steps of 4 channels are coarse at this size
    assert after.classes == before.classes
    assert after.features < before.features
    assert pruned(images()).shape == (4, 10)
    assert torch.equal(rebuild(pruned)(images()), pruned(images()))


def test_the_largest_filters_are_kept_in_their_order(small_network):
    """Of the last convolution: its group is its own filters, its BatchNorm and what reads them."""
    norms = (
        small_network.final.conv.weight.abs().sum((1, 2, 3))
        + small_network.final.bn.weight.abs()
        + small_network.mix.weight.abs().sum((0, 2, 3))
    )
    pruned = L1(0.49).prune(small_network, thesis_size_bytes)
    count = pruned.final.conv.out_channels
    assert count < len(norms)
    kept = norms.argsort(descending=True)[:count].sort().values
    assert torch.equal(pruned.final.bn.bias, small_network.final.bn.bias[kept])
    assert torch.equal(pruned.final.bn.running_mean, small_network.final.bn.running_mean[kept])


def test_everything_kept_changes_nothing(small_network):
    for pruning in (L1(1.0), NoPruning()):
        pruned = pruning.prune(small_network, thesis_size_bytes)
        assert pruned is not small_network
        assert torch.equal(pruned(images()), small_network(images()))


def test_pruning_is_deterministic_and_leaves_its_input_alone(small_network):
    before = {name: value.clone() for name, value in small_network.state_dict().items()}
    first, second = (L1(0.33).prune(small_network, thesis_size_bytes) for _ in range(2))
    assert torch.equal(first(images()), second(images()))
    assert all(torch.equal(value, before[k]) for k, value in small_network.state_dict().items())


@pytest.mark.parametrize("keep_ratio", [0.0, -0.1, 1.01, float("nan")])
def test_ratio_out_of_range_names_the_key(keep_ratio):
    with pytest.raises(ValueError, match=r"^pruning\.keep_ratio: must be above 0 and at most 1"):
        L1(keep_ratio)


def test_rounding_out_of_range_names_the_key():
    with pytest.raises(ValueError, match=r"^pruning\.round_to"):
        L1(0.5, round_to=0)


@pytest.mark.parametrize("keep_ratio", [0.25, 0.49, 0.8, 1.0])
@pytest.mark.parametrize("round_to", [1, 4, 8])
def test_a_pruned_network_has_the_shape_that_was_foretold(small_network, keep_ratio, round_to):
    pruning = L1(keep_ratio, round_to)
    try:
        foretold = pruning.narrowed(spec_of(small_network), thesis_size_bytes)
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            pruning.prune(small_network, thesis_size_bytes)
    else:
        assert spec_of(pruning.prune(small_network, thesis_size_bytes)) == foretold
