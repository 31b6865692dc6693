"""Fixtures of the rooms that work on networks: a small one with every feature, and real images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from codegen.pixels import normalise, resize
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.network.spec import Activation, BlockSpec, NetworkSpec


def block(
    in_channels: int,
    hidden_channels: int,
    out_channels: int,
    kernel: int = 3,
    stride: int = 1,
    se_channels: int = 0,
    activation: Activation = "hard_swish",
) -> BlockSpec:
    return BlockSpec(
        in_channels,
        hidden_channels,
        out_channels,
        kernel,
        stride,
        se_channels,
        activation,
        expand=hidden_channels != in_channels,
        residual=stride == 1 and in_channels == out_channels,
    )


@pytest.fixture(scope="session")
def small_spec() -> NetworkSpec:
    """Maps of 28, 14, 7 and 4 pixels; every kernel, both activations, with and without the rest."""
    blocks = (
        block(8, 8, 8, activation="relu"),
        block(8, 24, 12, kernel=5, stride=2, activation="relu"),
        block(12, 36, 12, kernel=7, se_channels=8, activation="relu"),
        block(12, 48, 16, kernel=5, stride=2, se_channels=12),
        block(16, 48, 16),
    )
    return NetworkSpec(28, 10, 8, 2, blocks, final_channels=48, features=40)


@pytest.fixture(scope="session")
def make_network(
    normalised: Callable[..., npt.NDArray[np.float32]],
) -> Callable[[NetworkSpec], StaticNetwork]:
    """Builds a network with random weights, spread logits and BatchNorm statistics of real images."""

    def make(spec: NetworkSpec) -> StaticNetwork:
        images = torch.from_numpy(normalised("train", 128, spec.resolution)).permute(0, 3, 1, 2)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(7)
            network = StaticNetwork(spec)
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.momentum = None  # the plain average over what follows
                    module.weight.uniform_(0.5, 1.5)
                    module.bias.normal_(0, 0.3)
            network.train()(images)
            features = network.eval().features(images)
            if network.mix is not None:
                network.mix.weight /= features.std()
            logits = network(images)
            network.classifier.weight *= 4 / logits.std(dim=0)[:, None]
            network.classifier.bias -= network(images).mean(dim=0)
        return network

    return make


@pytest.fixture(scope="session")
def normalised(sample: Cifar10Sample) -> Callable[..., npt.NDArray[np.float32]]:
    """The first images of a split of the embedded sample, float32 (count, side, side, 3)."""

    def first(split: str, count: int, side: int) -> npt.NDArray[np.float32]:
        return normalise(resize(sample.split(split).pixels[:count], side))

    return first


@pytest.fixture(scope="session")
def small_network(
    small_spec: NetworkSpec, make_network: Callable[[NetworkSpec], StaticNetwork]
) -> StaticNetwork:
    """A network of ``small_spec``; tests leave it as it is."""
    return make_network(small_spec)


@pytest.fixture(scope="session")
def small_keras_model(
    small_network: StaticNetwork,
    normalised: Callable[..., npt.NDArray[np.float32]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """``small_network`` converted: the path of its ``model.keras``."""
    from tinyml_nas.conversion.keras import convert

    folder = tmp_path_factory.mktemp("keras")
    return convert(small_network, normalised("test", 100, 28), folder).artifact.path
