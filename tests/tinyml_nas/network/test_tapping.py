"""A head that reads more says what it said before, and what more it reads is what it should be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tinyml_nas.network import files
from tinyml_nas.network.cost import layers
from tinyml_nas.network.module import rebuild, spec_of
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.network.tapping import tapped

TAPS = (0, 2, 4)  # 8, 12 and 16 channels


@pytest.fixture(scope="module")
def images(normalised):
    return torch.from_numpy(normalised("test", 40, 28)).permute(0, 3, 1, 2)


@pytest.fixture(scope="module", params=[36, 18, 10, 1])
def network(request, small_network, normalised):
    return tapped(small_network, TAPS, request.param, normalised("test", 40, 28))


def test_logits_are_what_they_were(small_network, network, images):
    with torch.no_grad():
        torch.testing.assert_close(network(images), small_network(images), rtol=1e-4, atol=1e-4)


def test_features_are_means_of_rows_of_pooled_channels_and_the_old_logits(
    small_network, network, images
):
    maps = {}
    for number in TAPS:
        small_network.blocks[number].register_forward_hook(
            lambda _m, _i, out, number=number: maps.__setitem__(number, out.numpy())
        )
    with torch.no_grad():
        said = (small_network(images) - small_network.classifier.bias).numpy()
        found = network.features(images).numpy()
    for number in TAPS:
        small_network.blocks[number]._forward_hooks.clear()
    row = np.concatenate([maps[number].mean(axis=(2, 3)) for number in TAPS], axis=1)
    width = spec_of(network).folded
    rows = -(-36 // width)
    expected = np.zeros((len(row), width))
    for channel in range(36):
        expected[:, channel % width] += row[:, channel] / rows
    np.testing.assert_allclose(found[:, :width], expected, atol=1e-5)
    # As loud as those, so that int8 has the same step for both.
    logits = found[:, width:]
    scale = logits.std() / said.std()
    np.testing.assert_allclose(logits, scale * said, atol=1e-4 * np.abs(logits).max())
    loud = [np.sqrt(part.var(axis=0).mean()) for part in (found[:, :width], logits)]
    assert loud[1] == pytest.approx(loud[0], rel=1e-3)


def test_it_is_a_network_like_any_other(network, images, tmp_path):
    files.save(network, tmp_path)
    with torch.no_grad():
        for again in (files.load(tmp_path), rebuild(network)):
            assert torch.equal(again(images), network(images))
    spec = spec_of(network)
    assert NetworkSpec.from_json(spec.to_json()) == spec
    costs = {layer.name: layer for layer in layers(spec)}
    assert costs["said"].parameters == 40 * 10
    assert costs["classifier"].parameters == (spec.folded + 10 + 1) * 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"taps": (1, 0), "folded": 5}, r"taps must be up to 10 of the blocks \(0, 1, 2, 3, 4\)"),
        ({"taps": (5,), "folded": 5}, "taps must be"),
        ({"taps": (0, 0), "folded": 5}, "taps must be"),
        ({"taps": (0, 1), "folded": 21}, "folded must be from 1 to the 20 channels"),
        ({"taps": (0, 1), "folded": 0}, "folded must be from 1 to the 20 channels"),
        ({"folded": 1}, "folded must be from 1 to the 0 channels"),
        ({"resolution": 6, "taps": (4,), "folded": 3}, r"of the blocks \(0, 1, 2\)"),
    ],
)
def test_taps_that_there_cannot_be_are_refused(small_spec, changes, message):
    with pytest.raises(ValueError, match=message):
        replace(small_spec, **changes)
