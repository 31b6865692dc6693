from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.support.pruning import pruned
from tinyml_nas.conversion.equivalence import MAX_ABS_ERROR, ConversionError
from tinyml_nas.conversion.keras import convert, to_keras
from tinyml_nas.conversion.layers import convolution
from tinyml_nas.network.spec import zeros_around
from tinyml_nas.pruning.fpgm import FPGM
from tinyml_nas.pruning.l1 import L1


@pytest.mark.parametrize("resolution", [24, 28, 32, 36, 40])
def test_network_is_exact_at_every_parity_of_its_maps(
    small_spec, make_network, normalised, tmp_path, resolution
):
    """24: 12, 6, 3. 28: 14, 7, 4. 36: 18, 9, 5. 40: 20, 10, 5."""
    network = make_network(replace(small_spec, resolution=resolution))
    images = normalised("test", 20, resolution)
    model = convert(network, images, tmp_path)
    assert model.images == 20
    assert 0 < model.max_abs_error <= MAX_ABS_ERROR
    assert model.artifact.path == tmp_path / "model.keras"


def test_a_thousand_real_images_agree(small_network, normalised, tmp_path):
    model = convert(small_network, normalised("test", 1000, 28), tmp_path)
    assert model.images == 1000
    assert 0 < model.max_abs_error <= MAX_ABS_ERROR


@pytest.mark.parametrize("pruning", [FPGM(0.4, scope="global"), L1(0.3, round_to=1)])
def test_a_pruned_network_is_exact_too(small_network, normalised, tmp_path, pruning):
    """Squeeze-excite and residual sums of odd widths."""
    model = convert(pruned(pruning, small_network), normalised("test", 20, 28), tmp_path)
    assert 0 < model.max_abs_error <= MAX_ABS_ERROR


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_pads_as_torch_does(size, kernel, stride):
    torch.manual_seed(0)
    conv = nn.Conv2d(2, 3, kernel, stride, kernel // 2)
    image = torch.randn(1, 2, size, size)
    model = to_keras(nn.Sequential(conv), (size, size, 2))
    ours = conv(image).detach().numpy().transpose(0, 2, 3, 1)
    theirs = np.asarray(model(image.numpy().transpose(0, 2, 3, 1)))
    np.testing.assert_allclose(theirs, ours, atol=1e-5)
    assert not any("pad" in layer.name.lower() for layer in model.layers)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("kernel", [3, 5])
def test_zeros_around_a_map_are_the_padding_of_the_convolution(size, kernel):
    """TensorFlow's own ``same``: the kernel stays as it is, and nothing pads."""
    torch.manual_seed(0)
    before, after = zeros_around(size, kernel, 2, "same")
    padded = nn.ZeroPad2d((before, after, before, after))
    network = nn.Sequential(padded, nn.Conv2d(2, 2, kernel, 2, groups=2), nn.ReLU6())
    image = 9 * torch.randn(1, 2, size, size)
    model = to_keras(network, (size, size, 2))
    ours = network(image).detach().numpy().transpose(0, 2, 3, 1)
    theirs = np.asarray(model(image.numpy().transpose(0, 2, 3, 1)))
    np.testing.assert_allclose(theirs, ours, atol=1e-5)
    _, convolution, activation = model.layers
    assert convolution.get_weights()[0].shape == (kernel, kernel, 2, 1)
    assert activation.activation.__name__ == "relu6"


def test_an_even_map_at_stride_2_gets_one_row_and_column_of_zeros():
    model = to_keras(nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1, groups=8, bias=False)), (6, 6, 8))
    (kernel,) = model.layers[-1].get_weights()
    assert kernel.shape == (4, 4, 8, 1)
    assert not kernel[3].any()
    assert not kernel[:, 3].any()
    assert kernel[:3, :3].all()


def test_shifted_padding_stops_the_run(small_network, normalised, tmp_path, monkeypatch):
    """TensorFlow's own `same` at stride 2, the mistake that costs half of the accuracy."""
    monkeypatch.setattr(convolution, "zeros_for_same", lambda *_: 0)
    with pytest.raises(ConversionError, match=r"on image \d+ of 50 a logit is .* apart, at most"):
        convert(small_network, normalised("test", 50, 28), tmp_path)
    assert not list(tmp_path.iterdir())


def test_network_is_not_touched(small_network, normalised, tmp_path):
    before = {name: value.clone() for name, value in small_network.state_dict().items()}
    convert(small_network, normalised("test", 10, 28), tmp_path)
    assert all(torch.equal(value, before[k]) for k, value in small_network.state_dict().items())
