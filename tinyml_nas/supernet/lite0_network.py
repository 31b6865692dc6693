"""The elastic EfficientNet-Lite0: one set of weights, every architecture of the space a slice of it.

Expansion is elastic by the leading channels of a block, which the start sorts by importance; depth
by its leading blocks and stages; the kernel by the centre of the large one, passed through a learnt
matrix that starts as the identity (Once-for-All, Cai et al. 2020, section 3.3). Each stage after
which a network may end has a head of its own.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinyml_nas.network.lite0 import (
    FINAL_CHANNELS,
    NORM_EPSILON,
    STAGES,
    STEM_CHANNELS,
    lite0_block,
)
from tinyml_nas.network.module import InvertedResidual, StaticNetwork
from tinyml_nas.network.spec import BlockSpec, zeros_around
from tinyml_nas.supernet.lite0_space import ELASTIC, Lite0Space, first_block
from tinyml_nas.supernet.network import ElasticKernel, blank_head, depthwise, he_normal
from tinyml_nas.supernet.space import Genotype


class Lite0Norm(nn.Module):
    """BatchNorm over the leading channels, always with the batch's own statistics.

    ``mean`` and ``variance`` are what ImageNet left of the whole network, where the supernet starts
    from it. They are right for that network alone, so no checkpoint keeps them.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels), persistent=False)
        self.register_buffer("variance", torch.ones(channels), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W) with C at most the largest width."""
        channels = x.shape[1]
        scale, shift = self.weight[:channels], self.bias[:channels]
        return F.batch_norm(x, None, None, scale, shift, training=True, eps=NORM_EPSILON)

    def copy_into(self, target: nn.BatchNorm2d) -> None:
        """Copy scale, shift and statistics of the leading channels."""
        channels = target.num_features
        target.weight.copy_(self.weight[:channels])
        target.bias.copy_(self.bias[:channels])
        cast(Tensor, target.running_mean).copy_(self.mean[:channels])
        cast(Tensor, target.running_var).copy_(self.variance[:channels])


class Lite0Block(nn.Module):
    """An inverted residual of any expansion and kernel up to those of ``largest``."""

    def __init__(self, largest: BlockSpec, kernels: tuple[int, ...]) -> None:
        super().__init__()
        hidden = largest.hidden_channels
        if largest.expand:
            self.expand = he_normal(hidden, largest.in_channels, 1, 1)
            self.expand_norm = Lite0Norm(hidden)
        self.depthwise = ElasticKernel(hidden, kernels)
        self.depthwise_norm = Lite0Norm(hidden)
        self.project = he_normal(largest.out_channels, hidden, 1, 1)
        self.project_norm = Lite0Norm(largest.out_channels)

    def forward(self, x: Tensor, spec: BlockSpec) -> Tensor:
        """Run the block that ``spec`` describes on (N, in, H, W)."""
        hidden = spec.hidden_channels
        y = x
        if spec.expand:
            y = F.relu6(self.expand_norm(F.conv2d(y, self.expand[:hidden])))
        y = same_depthwise(y, self.depthwise(hidden, spec.kernel), spec.stride)
        y = F.relu6(self.depthwise_norm(y))
        y = cast(Tensor, self.project_norm(F.conv2d(y, self.project[:, :hidden])))
        return x + y if spec.residual else y

    @torch.no_grad()
    def copy_into(self, target: InvertedResidual, spec: BlockSpec) -> None:
        """Copy the weights that ``spec`` uses into a block of its own."""
        hidden = spec.hidden_channels
        if target.expand is not None:
            target.expand.conv.weight.copy_(self.expand[:hidden])
            self.expand_norm.copy_into(target.expand.bn)
        target.depthwise.conv.weight.copy_(self.depthwise(hidden, spec.kernel))
        self.depthwise_norm.copy_into(target.depthwise.bn)
        target.project.conv.weight.copy_(self.project[:, :hidden])
        self.project_norm.copy_into(target.project.bn)


class Lite0Supernet(nn.Module):
    """All networks of a space. ``forward`` runs one of them, ``extract`` copies one out.

    ``trained`` is False where the heads know nothing of the classes, as where the weights are ImageNet's.
    ``measured`` is True where BatchNorm's statistics are ImageNet's, of the whole network.
    """

    def __init__(self, space: Lite0Space, classes: int) -> None:
        super().__init__()
        self.space, self.classes, self.trained = space, classes, True
        self.measured = False
        self.stem = he_normal(STEM_CHANNELS, 3, 3, 3)
        self.stem_norm = Lite0Norm(STEM_CHANNELS)
        self.first = Lite0Block(first_block(), (3,))
        self.stages = nn.ModuleList()
        channels = STAGES[0].channels
        for stage in ELASTIC:
            blocks = nn.ModuleList()
            for position in range(stage.blocks):
                stride = stage.stride if position == 0 else 1
                hidden = channels * stage.expansion
                largest = lite0_block(channels, hidden, stage.channels, stage.kernel, stride)
                kernels = (3, 5) if stage.kernel == 5 else (3,)
                blocks.append(Lite0Block(largest, kernels))
                channels = stage.channels
            self.stages.append(blocks)
        self.final = he_normal(FINAL_CHANNELS, channels, 1, 1)
        self.final_norm = Lite0Norm(FINAL_CHANNELS)
        self.heads = nn.ModuleDict(
            {str(last): nn.Linear(features_after(last), classes) for last in space.last_stages}
        )

    def forward(self, x: Tensor, genotype: Genotype) -> Tensor:
        """Logits (N, classes) of one architecture for images (N, 3, H, W)."""
        y = padded(x, 3, 2)
        y = F.relu6(self.stem_norm(F.conv2d(y, self.stem, stride=2)))
        for block, spec in self.active(genotype):
            y = block(y, spec)
        if width := self.space.width(genotype):
            y = F.relu6(self.final_norm(F.conv2d(y, self.final[:width])))
        features, head = y.mean((2, 3)), self.head(genotype)
        return F.linear(features, head.weight[:, : features.shape[1]], head.bias)

    def new_heads(self, classes: int) -> None:
        """Put heads for other classes in place of its own: zeros, which know nothing yet."""
        self.classes, self.trained = classes, False
        for last in self.space.last_stages:
            self.heads[str(last)] = blank_head(features_after(last), classes)

    def head(self, genotype: Genotype) -> nn.Linear:
        """The head of the stage after which an architecture ends."""
        return cast(nn.Linear, self.heads[str(self.space.last_stage(genotype))])

    def active(self, genotype: Genotype) -> list[tuple[Lite0Block, BlockSpec]]:
        """The blocks that an architecture uses, in order, and the shape each takes in it."""
        spec = self.space.spec(genotype, self.classes)
        blocks = [self.first]
        for stage, choices in zip(self.stages, self.space.choices(genotype), strict=True):
            elastic = cast(list[Lite0Block], list(cast(nn.ModuleList, stage)))
            blocks.extend(elastic[: len(choices)])
        return list(zip(blocks, spec.blocks, strict=True))

    @torch.no_grad()
    def extract(self, genotype: Genotype) -> StaticNetwork:
        """Copy an architecture's weights into a network of its own.

        Its BatchNorm statistics are right for ImageNet's whole network alone.
        """
        network = StaticNetwork(self.space.spec(genotype, self.classes))
        network.stem.conv.weight.copy_(self.stem)
        self.stem_norm.copy_into(network.stem.bn)
        for target, (block, shape) in zip(network.blocks, self.active(genotype), strict=True):
            block.copy_into(cast(InvertedResidual, target), shape)
        if network.final is not None:
            network.final.conv.weight.copy_(self.final[: network.final.conv.out_channels])
            self.final_norm.copy_into(network.final.bn)
        head = self.head(genotype)
        network.classifier.weight.copy_(head.weight[:, : network.classifier.in_features])
        network.classifier.bias.copy_(head.bias)
        return network


def features_after(last_stage: int) -> int:
    """The most features of a network that ends after a stage."""
    return FINAL_CHANNELS if last_stage == len(STAGES) else STAGES[last_stage - 1].channels


def padded(x: Tensor, kernel: int, stride: int) -> Tensor:
    """The square map (N, C, S, S) with the zeros that TensorFlow's ``same`` puts around it."""
    before, after = zeros_around(x.shape[-1], kernel, stride, "same")
    return F.pad(x, (before, after, before, after))


def same_depthwise(x: Tensor, kernel: Tensor, stride: int) -> Tensor:
    """Depthwise convolution of (N, C, S, S) with (C, 1, k, k) and TensorFlow's ``same`` padding."""
    if stride == 1:  # symmetric
        return depthwise(x, kernel, stride)
    return F.conv2d(padded(x, kernel.shape[-1], stride), kernel, stride=stride, groups=len(kernel))
