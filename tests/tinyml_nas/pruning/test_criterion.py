"""What holds for every criterion that has an option, whoever adds one."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from tests.support.pruning import LIMITS, images, pruned, share_kept
from tests.tinyml_nas.pruning.conftest import network_of
from tinyml_nas.config.folders import CONF
from tinyml_nas.config.register import plugin_targets
from tinyml_nas.config.targets import plugin_class
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.network.cost import thesis_size_bytes
from tinyml_nas.network.module import spec_of
from tinyml_nas.pruning.base import Step
from tinyml_nas.pruning.criterion import Criterion
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.pruning.random import Random
from tinyml_nas.pruning.taylor import Taylor

PLUGINS = {
    plugin_class(target, "pruning")
    for path, target in plugin_targets([CONF])
    if path.parent.name == "pruning"
}
CRITERIA = sorted((kind for kind in PLUGINS if issubclass(kind, Criterion)), key=str)
NAMES = [kind.__name__ for kind in CRITERIA]


def of(kind, **fields):
    """A criterion, on few images where it takes some."""
    return kind(**fields, **({"calibration_images": 16} if kind is Taylor else {}))


def same(one, other) -> bool:
    values = other.state_dict()
    return all(torch.equal(value, values[name]) for name, value in one.state_dict().items())


def test_the_criteria_are_here():
    assert {"L1", "L2", "FPGM", "Taylor", "BnScale", "Random"} <= set(NAMES)


@pytest.mark.parametrize("kind", CRITERIA, ids=NAMES)
@pytest.mark.parametrize("scope", ["uniform", "bytes", "global"])
def test_the_ratio_is_met_and_nothing_else_changes(network, kind, scope):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pruning = of(kind, keep_ratio=0.4, scope=scope)
    smaller = pruned(pruning, network)
    assert 0.396 < share_kept(network, smaller) <= 0.4  # within 1 %
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    spec = spec_of(smaller)
    assert (spec.classes, spec.resolution) == (10, 32)
    narrowed = pruning.narrowed(spec_of(network), LIMITS)
    assert (spec == narrowed) or not pruning.foreseen
    assert 0.396 < thesis_size_bytes(narrowed) / thesis_size_bytes(spec_of(network)) <= 0.4


@pytest.mark.parametrize("kind", CRITERIA, ids=NAMES)
def test_pruning_again_gives_the_same_bits(small_network, kind):
    first, second = (pruned(of(kind, keep_ratio=0.4), small_network) for _ in range(2))
    assert same(first, second)


@pytest.mark.parametrize("kind", CRITERIA, ids=NAMES)
def test_everything_kept_changes_nothing(small_network, kind):
    assert same(pruned(of(kind, keep_ratio=1.0), small_network), small_network)


@pytest.mark.parametrize("round_to", [1, 4, 8])
@pytest.mark.parametrize("keep_ratio", [0.25, 0.49, 0.8, 1.0])
def test_a_pruned_network_has_the_shape_that_was_foretold(small_network, keep_ratio, round_to):
    pruning = L1(keep_ratio, round_to)
    foretold = pruning.narrowed(spec_of(small_network), LIMITS)
    assert spec_of(pruned(pruning, small_network)) == foretold


def test_scopes_are_other_networks_of_the_same_size():
    network = network_of("lite0", 1)
    scopes = ("uniform", "bytes", "global")
    assert len({spec_of(pruned(L1(0.5, scope=scope), network)) for scope in scopes}) == 3


def test_by_bytes_the_wide_layers_at_the_end_give_what_the_first_ones_keep():
    spec = spec_of(network_of("lite0", 1))
    even, odd = (L1(0.33, scope=scope).narrowed(spec, LIMITS) for scope in ("uniform", "bytes"))
    assert odd.stem_channels == spec.stem_channels > even.stem_channels
    assert odd.features < even.features


@pytest.mark.parametrize("scope", ["uniform", "bytes", "global"])
def test_more_steps_come_to_the_same_size_by_like_shares(small_network, scope):
    shares, network = [], small_network
    pruning = L1(0.4, round_to=1, scope=scope, steps=3)
    whole = thesis_size_bytes(spec_of(network))
    for number in (1, 2, 3):
        network = pruning.prune(network, LIMITS, Step(whole, images(), 0, number))
        shares.append(share_kept(small_network, network))
    expected = [0.4 ** (number / 3) for number in (1, 2, 3)]
    assert shares == pytest.approx(expected, rel=0.02)
    assert shares[-1] <= 0.4


def test_what_is_drawn_follows_the_seed(small_network):
    for pruning in (Random(0.5), Taylor(0.5, calibration_images=4)):
        one, other, again = (pruned(pruning, small_network, seed=seed) for seed in (0, 1, 0))
        assert same(one, again)
        assert not same(one, other)


def test_a_network_that_cannot_get_so_small_becomes_the_narrowest(small_network):
    (small,) = {spec_of(pruned(L1(ratio), small_network)) for ratio in (0.01, 0.02)}
    assert (small.stem_channels, small.features) == (4, 4)


@pytest.mark.parametrize("keep_ratio", [0.0, -0.1, 1.01, float("nan")])
def test_ratio_out_of_range_names_the_key(keep_ratio):
    with pytest.raises(ValueError, match=r"^pruning\.keep_ratio: must be above 0 and at most 1"):
        L1(keep_ratio)


@pytest.mark.parametrize("key", ["round_to", "steps", "buffer_samples", "calibration_images"])
def test_counts_out_of_range_name_their_key(key):
    with pytest.raises(ValueError, match=rf"^pruning\.{key}: must be 1 or more; got 0"):
        Taylor(0.5, **{key: 0})


def test_images_to_fit_to_may_be_none_but_not_fewer():
    with pytest.raises(ValueError, match=r"^pruning\.reconstruction_images: .*; got -1"):
        L1(0.5, reconstruction_images=-1)


def test_a_ratio_that_no_candidate_reaches_names_the_least_that_one_does(small_spec):
    data = Cifar10Sample()
    pruning = L1(0.01)
    with pytest.raises(ValueError, match=r"^pruning\.keep_ratio: must be at least 0\.\d+") as told:
        pruning.check([small_spec], LIMITS, data)
    least = float(re.search(r"at least (\S+)", str(told.value))[1])
    replace(pruning, keep_ratio=least).check([small_spec], LIMITS, data)
    with pytest.raises(ValueError, match="layers would vanish"):
        replace(pruning, keep_ratio=least - 2e-4).check([small_spec], LIMITS, data)


def test_more_images_than_there_are_name_the_key(small_spec):
    pruning = Taylor(0.9, calibration_images=4001)
    message = r"^pruning\.calibration_images: must be at most 4000, .*; got 4001"
    with pytest.raises(ValueError, match=message):
        pruning.check([small_spec], LIMITS, Cifar10Sample())
