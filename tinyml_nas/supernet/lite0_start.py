"""The start of the Lite0 supernet: ImageNet's weights, hidden channels in the order of importance.

Channels that a narrower block drops come last. How much a hidden channel matters is read off the
weights alone: its deviation behind ReLU6, if what enters BatchNorm is normal, times the length of
its column in the projection, each row by the scale that the projection's BatchNorm gives it. A
channel that hardly varies adds a constant, which the next BatchNorm takes away.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from tinyml_nas.network.imagenet import imagenet_lite0
from tinyml_nas.network.module import ConvBn, InvertedResidual, StaticNetwork
from tinyml_nas.supernet.lite0_network import Lite0Block, Lite0Norm, Lite0Supernet
from tinyml_nas.supernet.lite0_space import Lite0Space

QUANTILES = 255
ANY_RESOLUTION = 96


def lite0_from_imagenet(space: Lite0Space, classes: int, path: Path | None = None) -> Lite0Supernet:
    """The supernet with ImageNet's weights and heads that are drawn from torch's generator.

    ``path`` is the extra's file.

    Raises:
        PretrainingError: the package with the weights is not installed.
    """
    supernet = Lite0Supernet(space, classes)
    supernet.trained, supernet.measured = False, True
    fill(supernet, imagenet_lite0(ANY_RESOLUTION, path))
    return supernet


@torch.no_grad()
def fill(supernet: Lite0Supernet, whole: StaticNetwork) -> None:
    """Copy the weights of the whole network into the supernet, channels sorted by importance."""
    supernet.stem.copy_(whole.stem.conv.weight)
    copy_norm(supernet.stem_norm, whole.stem.bn)
    blocks = [supernet.first]
    for stage in supernet.stages:
        blocks.extend(cast(list[Lite0Block], list(cast(nn.ModuleList, stage))))
    for block, source in zip(blocks, whole.blocks, strict=True):
        fill_block(block, cast(InvertedResidual, source))
    final = cast(ConvBn, whole.final)
    order = descending(deviation(final.bn) * whole.classifier.weight.norm(dim=0))
    supernet.final.copy_(final.conv.weight[order])
    copy_norm(supernet.final_norm, final.bn, order)


def fill_block(block: Lite0Block, source: InvertedResidual) -> None:
    """Copy an inverted residual, its hidden channels in the order of importance.

    Without an expansion they are the channels that come in, and stay where they are.
    """
    order = descending(importance(source))
    if source.expand is None:
        order = torch.arange(len(order))
    else:
        block.expand.copy_(source.expand.conv.weight[order])
        copy_norm(block.expand_norm, source.expand.bn, order)
    block.depthwise.weight.copy_(source.depthwise.conv.weight[order])
    copy_norm(block.depthwise_norm, source.depthwise.bn, order)
    block.project.copy_(source.project.conv.weight[:, order])
    copy_norm(block.project_norm, source.project.bn)


def importance(block: InvertedResidual) -> Tensor:
    """How much each hidden channel moves the block's output (hidden,)."""
    norm = block.project.bn
    scale = norm.weight / (cast(Tensor, norm.running_var) + norm.eps).sqrt()
    columns = block.project.conv.weight[:, :, 0, 0] * scale[:, None]
    lengths: Tensor = columns.norm(dim=0)
    return deviation(block.depthwise.bn) * lengths


def deviation(norm: nn.BatchNorm2d) -> Tensor:
    """Standard deviation of relu6(shift + scale z) for each channel (C,), z standard normal."""
    points = torch.special.ndtri((torch.arange(QUANTILES) + 0.5) / QUANTILES)
    values = (norm.bias[:, None] + norm.weight[:, None] * points).clamp(0, 6)
    spread: Tensor = values.std(dim=1)
    return spread


def descending(scores: Tensor) -> Tensor:
    """Indices from the highest score to the lowest; equal ones keep their order."""
    return torch.argsort(scores, descending=True, stable=True)


def copy_norm(target: Lite0Norm, source: nn.BatchNorm2d, order: Tensor | None = None) -> None:
    """Copy scale, shift and ImageNet's statistics, in ``order``."""
    pairs = (
        (target.weight, source.weight),
        (target.bias, source.bias),
        (target.mean, cast(Tensor, source.running_mean)),
        (target.variance, cast(Tensor, source.running_var)),
    )
    for own, given in pairs:
        own.copy_(given if order is None else given[order])
