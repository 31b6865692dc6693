"""The elastic MobileNetV3: one set of weights, every architecture of the space a slice of it.

Expansion is elastic by the leading channels of a block, depth by its leading blocks, the kernel by
the centre of the largest one passed through a learnt k² x k² matrix for each step down
(Once-for-All, Cai et al. 2020, section 3.3), kept as its difference from the identity so that
weight decay pulls towards the plain centre. BatchNorm keeps scale and shift alone: running
statistics belong to one architecture, so they are measured after extraction (``recalibrate``).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinyml_nas.network.module import InvertedResidual, StaticNetwork
from tinyml_nas.network.spec import BlockSpec
from tinyml_nas.supernet.space import BlockChoice, Genotype, MobileNetV3Space

BATCH_NORM_EPSILON = 1e-5


def he_normal(*shape: int) -> nn.Parameter:
    """A convolution weight (out, in, k, k) with He's fan-out initialisation."""
    fan_out = shape[0] * math.prod(shape[2:]) if shape[1] > 1 else math.prod(shape[2:])
    return nn.Parameter(torch.randn(shape) * math.sqrt(2.0 / fan_out))


class ElasticNorm(nn.Module):
    """BatchNorm over the leading channels, always with the batch's own statistics."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W) with C at most the largest width."""
        channels = x.shape[1]
        return F.batch_norm(
            x,
            None,
            None,
            self.weight[:channels],
            self.bias[:channels],
            training=True,
            eps=BATCH_NORM_EPSILON,
        )


class ElasticKernel(nn.Module):
    """A depthwise weight whose smaller kernels are learnt transforms of the next larger centre."""

    def __init__(self, channels: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        self.kernels = kernels
        self.weight = he_normal(channels, 1, kernels[-1], kernels[-1])
        self.transforms = nn.ParameterDict(
            {
                f"{large}to{small}": nn.Parameter(torch.zeros(small * small, small * small))
                for small, large in pairwise(kernels)
            }
        )

    def forward(self, channels: int, kernel: int) -> Tensor:
        """Weight (channels, 1, kernel, kernel)."""
        weight = self.weight[:channels]
        for small, large in reversed(list(pairwise(self.kernels))):
            if large <= kernel:
                break
            edge = (large - small) // 2
            centre = weight[:, :, edge:-edge, edge:-edge].reshape(channels, -1)
            matrix = self.transforms[f"{large}to{small}"]
            weight = (centre + centre @ matrix.T).reshape(channels, 1, small, small)
        return weight


class ElasticBlock(nn.Module):
    """An inverted residual of any expansion and kernel up to those of ``largest``."""

    def __init__(self, largest: BlockSpec, kernels: tuple[int, ...]) -> None:
        super().__init__()
        hidden, se = largest.hidden_channels, largest.se_channels
        if largest.expand:
            self.expand = he_normal(hidden, largest.in_channels, 1, 1)
            self.expand_norm = ElasticNorm(hidden)
        self.depthwise = ElasticKernel(hidden, kernels)
        self.depthwise_norm = ElasticNorm(hidden)
        if se:
            self.reduce = he_normal(se, hidden, 1, 1)
            self.reduce_bias = nn.Parameter(torch.zeros(se))
            self.excite = he_normal(hidden, se, 1, 1)
            self.excite_bias = nn.Parameter(torch.zeros(hidden))
        self.project = he_normal(largest.out_channels, hidden, 1, 1)
        self.project_norm = ElasticNorm(largest.out_channels)

    def forward(self, x: Tensor, spec: BlockSpec) -> Tensor:
        """Run the block that ``spec`` describes on (N, in, H, W)."""
        activate = F.relu if spec.activation == "relu" else F.hardswish
        hidden = spec.hidden_channels
        y = x
        if spec.expand:
            y = activate(self.expand_norm(F.conv2d(y, self.expand[:hidden])))
        kernel = self.depthwise(hidden, spec.kernel)
        y = depthwise(y, kernel, spec.stride)
        y = activate(self.depthwise_norm(y))
        if spec.se_channels:
            y = y * self._gate(y, spec)
        y = cast(Tensor, self.project_norm(F.conv2d(y, self.project[:, :hidden])))
        return x + y if spec.residual else y

    @torch.no_grad()
    def copy_into(self, target: InvertedResidual, spec: BlockSpec) -> None:
        """Copy the weights that ``spec`` uses into a block of its own."""
        hidden, se = spec.hidden_channels, spec.se_channels
        if target.expand is not None:
            target.expand.conv.weight.copy_(self.expand[:hidden])
            copy_norm(target.expand.bn, self.expand_norm)
        target.depthwise.conv.weight.copy_(self.depthwise(hidden, spec.kernel))
        copy_norm(target.depthwise.bn, self.depthwise_norm)
        if target.se is not None:
            target.se.reduce.weight.copy_(self.reduce[:se, :hidden])
            copy_bias(target.se.reduce, self.reduce_bias[:se])
            target.se.expand.weight.copy_(self.excite[:hidden, :se])
            copy_bias(target.se.expand, self.excite_bias[:hidden])
        target.project.conv.weight.copy_(self.project[:, :hidden])
        copy_norm(target.project.bn, self.project_norm)

    def _gate(self, y: Tensor, spec: BlockSpec) -> Tensor:
        hidden, se = spec.hidden_channels, spec.se_channels
        pooled = y.mean((2, 3), keepdim=True)
        reduced = F.relu(F.conv2d(pooled, self.reduce[:se, :hidden], self.reduce_bias[:se]))
        excited = F.conv2d(reduced, self.excite[:hidden, :se], self.excite_bias[:hidden])
        return F.hardsigmoid(excited)


def depthwise(x: Tensor, kernel: Tensor, stride: int) -> Tensor:
    """Padded depthwise convolution of (N, C, S, S) with (C, 1, k, k).

    On a CPU, oneDNN takes four times as long where the kernel is larger than the map; there, each
    channel's map is multiplied by its own S² x S² Toeplitz matrix instead: the same sums.
    """
    side, reach = x.shape[-1], kernel.shape[-1] // 2
    if x.is_cuda or stride != 1 or side >= kernel.shape[-1]:
        return F.conv2d(x, kernel, stride=stride, padding=reach, groups=len(kernel))
    position = torch.arange(side)
    tap = position[None, :] - position[:, None] + reach  # kernel tap from output row to input row
    inside = (tap >= 0) & (tap <= 2 * reach)
    tap = tap.clamp(0, 2 * reach)
    matrix = kernel[:, 0][:, tap[:, :, None, None], tap] * (inside[:, :, None, None] & inside)
    matrix = matrix.permute(0, 2, 4, 1, 3).reshape(len(kernel), side * side, side * side)
    maps = x.permute(1, 0, 2, 3).reshape(len(kernel), -1, side * side)
    y = torch.bmm(maps, matrix).reshape(len(kernel), -1, side, side)
    return y.permute(1, 0, 2, 3).contiguous(memory_format=torch.channels_last)


class Supernet(nn.Module):
    """All networks of a space. ``forward`` runs one of them, ``extract`` copies one out.

    ``trained`` is False where its head knows nothing of the classes; then a network of it gets one that is fitted.
    ``measured``: never are there statistics that came with the weights.
    """

    def __init__(self, space: MobileNetV3Space, classes: int) -> None:
        super().__init__()
        self.space, self.classes, self.trained = space, classes, True
        self.measured = False
        largest = BlockChoice(space.kernels[-1], space.expansions[-1])
        self.stem = he_normal(space.stem_channels, 3, 3, 3)
        self.stem_norm = ElasticNorm(space.stem_channels)
        first = space.block(0, space.stem_channels, space.strides[0], BlockChoice(3, 1))
        self.first = ElasticBlock(first, (3,))
        self.stages = nn.ModuleList()
        channels = first.out_channels
        for stage in range(1, space.stages + 1):
            blocks = nn.ModuleList()
            for position in range(space.max_depth):
                stride = space.strides[stage] if position == 0 else 1
                spec = space.block(stage, channels, stride, largest)
                blocks.append(ElasticBlock(spec, space.kernels))
                channels = spec.out_channels
            self.stages.append(blocks)
        self.final = he_normal(space.final_channels, channels, 1, 1)
        self.final_norm = ElasticNorm(space.final_channels)
        self.mix = he_normal(space.features, space.final_channels, 1, 1)
        self.mix_bias = nn.Parameter(torch.zeros(space.features))
        self.classifier = nn.Linear(space.features, classes)

    def new_heads(self, classes: int) -> None:
        """Put a head for other classes in place of its own: zeros, which know nothing yet."""
        self.classes, self.trained = classes, False
        self.classifier = blank_head(self.space.features, classes)

    def forward(self, x: Tensor, genotype: Genotype) -> Tensor:
        """Logits (N, classes) of one architecture for images (N, 3, H, W)."""
        stride = self.space.stem_stride
        y = F.hardswish(self.stem_norm(F.conv2d(x, self.stem, stride=stride, padding=1)))
        for block, spec in self.active(genotype):
            y = block(y, spec)
        y = F.hardswish(self.final_norm(F.conv2d(y, self.final)))
        y = F.hardswish(F.conv2d(y.mean((2, 3), keepdim=True), self.mix, self.mix_bias))
        return cast(Tensor, self.classifier(y.flatten(1)))

    def active(self, genotype: Genotype) -> list[tuple[ElasticBlock, BlockSpec]]:
        """The blocks that an architecture uses, in order, and the shape each takes in it."""
        spec = self.space.spec(genotype, self.classes)
        blocks = [self.first]
        for stage, choices in zip(self.stages, self.space.choices(genotype), strict=True):
            elastic = cast(list[ElasticBlock], list(cast(nn.ModuleList, stage)))
            blocks.extend(elastic[: len(choices)])
        return list(zip(blocks, spec.blocks, strict=True))

    @torch.no_grad()
    def extract(self, genotype: Genotype) -> StaticNetwork:
        """Copy an architecture's weights into a network of its own, BatchNorm statistics unset."""
        network = StaticNetwork(self.space.spec(genotype, self.classes))
        network.stem.conv.weight.copy_(self.stem)
        copy_norm(network.stem.bn, self.stem_norm)
        for target, (block, shape) in zip(network.blocks, self.active(genotype), strict=True):
            block.copy_into(cast(InvertedResidual, target), shape)
        assert network.final is not None
        assert network.mix is not None
        network.final.conv.weight.copy_(self.final)
        copy_norm(network.final.bn, self.final_norm)
        network.mix.weight.copy_(self.mix)
        copy_bias(network.mix, self.mix_bias)
        network.classifier.load_state_dict(self.classifier.state_dict())
        return network


def blank_head(features: int, classes: int) -> nn.Linear:
    """A head Φ_c of zeros; no random number is drawn."""
    with torch.random.fork_rng():
        head = nn.Linear(features, classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def copy_bias(target: nn.Conv2d, source: Tensor) -> None:
    """Copy the bias of a convolution that has one."""
    cast(Tensor, target.bias).copy_(source)


def copy_norm(target: nn.BatchNorm2d, source: ElasticNorm) -> None:
    """Copy scale and shift of the leading channels."""
    target.weight.copy_(source.weight[: target.num_features])
    target.bias.copy_(source.bias[: target.num_features])
