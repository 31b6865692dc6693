"""A static MobileNetV3 as plain numbers: what pruning shrinks, and what every stage rebuilds from.

The network (Howard et al. 2019, as laid out by Once-for-All, Cai et al. 2020): a 3x3 stem, inverted
residual blocks, a 1x1 expansion, global average pooling, a 1x1 convolution with bias ("feature
mix") that gives the features ψ, Flatten, and the Dense head Φ_c.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

Activation = Literal["relu", "hard_swish"]
IMAGE_CHANNELS = 3


def out_side(side: int, stride: int) -> int:
    """Side of the map that a convolution with an odd kernel and padding k // 2 puts out."""
    return -(-side // stride)


@dataclass(frozen=True)
class BlockSpec:
    """Inverted residual: [1x1 expand] → depthwise k x k → [squeeze-excite] → 1x1 project [+ input].

    ``expand`` is False where the block has no expansion convolution (then ``hidden_channels`` is
    ``in_channels``); ``se_channels`` is 0 where there is no squeeze-excite.
    """

    in_channels: int
    hidden_channels: int
    out_channels: int
    kernel: int
    stride: int
    se_channels: int
    activation: Activation
    expand: bool
    residual: bool


@dataclass(frozen=True)
class NetworkSpec:
    """Channels, kernels and strides of the whole network; ``resolution`` is the input side in pixels."""

    resolution: int
    classes: int
    stem_channels: int
    stem_stride: int
    blocks: tuple[BlockSpec, ...]
    final_channels: int
    features: int

    def to_json(self) -> str:
        """Canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, indent=1)

    @staticmethod
    def from_json(text: str) -> NetworkSpec:
        """Read what ``to_json`` wrote."""
        fields = json.loads(text)
        blocks = tuple(BlockSpec(**block) for block in fields.pop("blocks"))
        return NetworkSpec(blocks=blocks, **fields)
