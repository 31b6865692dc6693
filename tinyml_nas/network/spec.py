"""A static network as plain numbers: what pruning shrinks, and what every stage rebuilds from.

MobileNetV3 (Howard et al. 2019, as laid out by Once-for-All, Cai et al. 2020): a 3x3 stem, inverted
residual blocks, a 1x1 expansion, global average pooling, a 1x1 convolution with bias ("feature
mix") that gives the features ψ, Flatten, and the Dense head Φ_c. EfficientNet-Lite has no feature
mix: the pooled map is ψ; cut short it has no 1x1 expansion either.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Literal

Activation = Literal["relu", "relu6", "hard_swish"]
Padding = Literal["symmetric", "same"]
IMAGE_CHANNELS = 3


def out_side(side: int, stride: int) -> int:
    """Side of the map that a convolution with an odd kernel and padding k // 2 puts out."""
    return -(-side // stride)


def zeros_around(side: int, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Rows of zeros before and after a map of ``side`` pixels that a convolution starts from.

    ``symmetric`` is torch's, kernel // 2 on either side. ``same`` is TensorFlow's, the fewest that do
    and the smaller half first: one less before the map at stride 2 on an even side, else equal.
    """
    if padding == "symmetric":
        return kernel // 2, kernel // 2
    total = max((out_side(side, stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


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
    """Channels, kernels and strides of the whole network; ``resolution`` is the input side in pixels.

    ``activation`` is that of the stem, the 1x1 expansion and the feature mix. ``final_channels`` is 0
    where there is no 1x1 expansion. Without ``mix`` the features ψ are the pooled map, so that
    ``features`` is its number of channels. ``norm_epsilon`` is what BatchNorm adds to a variance.
    """

    resolution: int
    classes: int
    stem_channels: int
    stem_stride: int
    blocks: tuple[BlockSpec, ...]
    final_channels: int
    features: int
    activation: Activation = "hard_swish"
    padding: Padding = "symmetric"
    mix: bool = True
    norm_epsilon: float = 1e-5

    def __post_init__(self) -> None:
        pooled = self.final_channels or (
            self.blocks[-1].out_channels if self.blocks else self.stem_channels
        )
        if not self.mix and self.features != pooled:
            raise ValueError(
                f"network: without a feature mix the {pooled} channels of the pooled map are the "
                f"features; got features {self.features}"
            )

    def to_json(self) -> str:
        """Canonical JSON; what has its default is left out, as files from before it existed do."""
        numbers = asdict(self)
        for item in fields(self):
            if item.default is not MISSING and numbers[item.name] == item.default:
                del numbers[item.name]
        return json.dumps(numbers, sort_keys=True, indent=1)

    @staticmethod
    def from_json(text: str) -> NetworkSpec:
        """Read what ``to_json`` wrote."""
        numbers = json.loads(text)
        blocks = tuple(BlockSpec(**block) for block in numbers.pop("blocks"))
        return NetworkSpec(blocks=blocks, **numbers)
