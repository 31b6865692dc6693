"""The static network that a ``NetworkSpec`` describes, as a torch module.

Every stage after the search works on this one class: fine-tuning, pruning, conversion. Its
submodules have plain names (``blocks.3.depthwise.conv``) because the elastic supernet copies its
weights into them and the files on disk are keyed by them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tinyml_nas.network.base import Network
from tinyml_nas.network.fold import Fold
from tinyml_nas.network.spec import (
    Activation,
    BlockSpec,
    NetworkSpec,
    Padding,
    out_side,
    zeros_around,
)

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "hard_swish": nn.Hardswish,
}


class ConvBn(nn.Module):
    """Convolution without bias (``conv``), BatchNorm (``bn``) and an activation (``act``) or None.

    ``zeros`` are the rows of padding before and after the map, by default ``kernel // 2`` each, so
    that a map of side s becomes one of side ceil(s / stride). Unequal ones need a layer, ``pad``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        activation: Activation | None = None,
        zeros: tuple[int, int] | None = None,
        norm_epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        before, after = zeros or (kernel // 2, kernel // 2)
        self.pad = None if before == after else nn.ZeroPad2d((before, after, before, after))
        padding = before if self.pad is None else 0
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=norm_epsilon)
        self.act = None if activation is None else _ACTIVATIONS[activation]()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, ceil(H / stride), ceil(W / stride))."""
        padded = x if self.pad is None else self.pad(x)
        out: Tensor = self.bn(self.conv(padded))
        if self.act is not None:
            out = self.act(out)
        return out


class SqueezeExcite(nn.Module):
    """Channel attention (Hu et al. 2018), x * gate(mean(x)), with MobileNetV3's hard sigmoid."""

    def __init__(self, channels: int, squeezed_channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, squeezed_channels, 1)
        self.act = nn.ReLU()
        self.expand = nn.Conv2d(squeezed_channels, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Scale (N, C, H, W) by a gate (N, C, 1, 1) in [0, 1]."""
        squeezed = self.act(self.reduce(self.pool(x)))
        gate: Tensor = self.gate(self.expand(squeezed))
        return x * gate


class InvertedResidual(nn.Module):
    """One ``BlockSpec``: ``expand`` (or None), ``depthwise``, ``se`` (or None), ``project``.

    ``zeros`` are the rows of padding before and after the depthwise convolution's map.
    """

    def __init__(
        self,
        spec: BlockSpec,
        zeros: tuple[int, int] | None = None,
        norm_epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.residual = spec.residual
        self.expand = (
            ConvBn(
                spec.in_channels,
                spec.hidden_channels,
                1,
                activation=spec.activation,
                norm_epsilon=norm_epsilon,
            )
            if spec.expand
            else None
        )
        self.depthwise = ConvBn(
            spec.hidden_channels,
            spec.hidden_channels,
            spec.kernel,
            stride=spec.stride,
            groups=spec.hidden_channels,
            activation=spec.activation,
            zeros=zeros,
            norm_epsilon=norm_epsilon,
        )
        self.se = (
            SqueezeExcite(spec.hidden_channels, spec.se_channels) if spec.se_channels else None
        )
        self.project = ConvBn(spec.hidden_channels, spec.out_channels, 1, norm_epsilon=norm_epsilon)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, ceil(H / stride), ceil(W / stride))."""
        hidden = x if self.expand is None else self.expand(x)
        hidden = self.depthwise(hidden)
        if self.se is not None:
            hidden = self.se(hidden)
        out: Tensor = self.project(hidden)
        return x + out if self.residual else out


class StaticNetwork(Network):
    """The whole network: NCHW float32 images (N, 3, S, S) to logits (N, classes).

    ``stem``, ``blocks``, ``final``, ``pool``, ``mix`` with ``mix_act`` and ``flatten`` are the
    extractor Φ_f; ``classifier`` is the head Φ_c. ``final`` and ``mix`` are None where the
    specification has none. Where it has taps, ``fold`` makes features of their maps and ``said``
    logits of ψ, and the head reads both. The weights of a new network are torch's default initialisation, drawn
    from torch's global generator.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.resolution = spec.resolution
        self.padding: Padding = spec.padding
        side, epsilon = spec.resolution, spec.norm_epsilon
        self.stem = ConvBn(
            3,
            spec.stem_channels,
            3,
            stride=spec.stem_stride,
            activation=spec.activation,
            zeros=zeros_around(side, 3, spec.stem_stride, spec.padding),
            norm_epsilon=epsilon,
        )
        side = out_side(side, spec.stem_stride)
        self.blocks = nn.ModuleList()
        for block in spec.blocks:
            zeros = zeros_around(side, block.kernel, block.stride, spec.padding)
            self.blocks.append(InvertedResidual(block, zeros, epsilon))
            side = out_side(side, block.stride)
        last = spec.blocks[-1].out_channels if spec.blocks else spec.stem_channels
        self.final = (
            ConvBn(last, spec.final_channels, 1, activation=spec.activation, norm_epsilon=epsilon)
            if spec.final_channels
            else None
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.mix = nn.Conv2d(spec.final_channels or last, spec.features, 1) if spec.mix else None
        self.mix_act = _ACTIVATIONS[spec.activation]() if spec.mix else None
        self.taps = spec.taps
        self.fold = Fold(spec.folded) if spec.taps else None
        self.said = nn.Conv2d(spec.features, spec.classes, 1, bias=False) if spec.taps else None
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(spec.head_features, spec.classes)

    def features(self, images: Tensor) -> Tensor:
        """Φ_f: (N, 3, S, S) to what the head reads, ψ (N, features) where nothing is tapped."""
        x, maps = self.stem(images), []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.taps:
                maps.append(x)
        x = self.pool(x if self.final is None else self.final(x))
        if self.mix is not None and self.mix_act is not None:
            x = self.mix_act(self.mix(x))
        if self.fold is not None and self.said is not None:
            x = torch.cat([self.fold(*maps), self.said(x)], dim=1)
        features: Tensor = self.flatten(x)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Φ = Φ_c ∘ Φ_f: (N, 3, S, S) to logits (N, classes)."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


def spec_of(module: StaticNetwork) -> NetworkSpec:
    """Read the specification back from the layers as they are now, after pruning too."""
    stem = module.stem.conv
    blocks = tuple(_block_spec(block) for block in module.blocks)
    return NetworkSpec(
        resolution=module.resolution,
        classes=module.classifier.out_features,
        stem_channels=stem.out_channels,
        stem_stride=stem.stride[0],
        blocks=blocks,
        final_channels=0 if module.final is None else module.final.conv.out_channels,
        features=(module.classifier if module.said is None else module.said).weight.shape[1],
        activation=_activation_of(module.stem),
        padding=module.padding,
        mix=module.mix is not None,
        norm_epsilon=module.stem.bn.eps,
        taps=module.taps,
        folded=0 if module.fold is None else module.fold.width,
    )


def _activation_of(layer: ConvBn) -> Activation:
    (name,) = (name for name, kind in _ACTIVATIONS.items() if type(layer.act) is kind)
    return name


def _block_spec(block: nn.Module) -> BlockSpec:
    assert isinstance(block, InvertedResidual)
    depthwise = block.depthwise.conv
    first = depthwise if block.expand is None else block.expand.conv
    return BlockSpec(
        in_channels=first.in_channels,
        hidden_channels=depthwise.out_channels,
        out_channels=block.project.conv.out_channels,
        kernel=depthwise.kernel_size[0],
        stride=depthwise.stride[0],
        se_channels=0 if block.se is None else block.se.reduce.out_channels,
        activation=_activation_of(block.depthwise),
        expand=block.expand is not None,
        residual=block.residual,
    )


def rebuild(module: StaticNetwork) -> StaticNetwork:
    """A fresh network with the layer sizes and weights of ``module``, in evaluation mode."""
    copy = StaticNetwork(spec_of(module))
    with torch.no_grad():
        copy.load_state_dict(module.state_dict())
    return copy.eval()
