"""A static network as plain numbers: what pruning shrinks, and what every stage rebuilds from.

MobileNetV3 (Howard et al. 2019, as laid out by Once-for-All, Cai et al. 2020): a 3x3 stem, inverted
residual blocks, a 1x1 expansion, global average pooling, a 1x1 convolution with bias ("feature
mix") that gives the features ψ, Flatten, and the Dense head Φ_c. EfficientNet-Lite has no feature
mix: the pooled map is ψ; cut short it has no 1x1 expansion either.

The head may read more than ψ: the maps of blocks on the way, pooled ("taps"; as F-OAL, Zhuang et al. 2024,
takes features of several blocks for a head in closed form).
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Literal

Activation = Literal["relu", "relu6", "hard_swish"]
Padding = Literal["symmetric", "same"]
IMAGE_CHANNELS = 3
MOST_TAPS = 10
"""Maps that TensorFlow Lite Micro's CONCATENATION joins."""


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


def rows_of(channels: int, width: int) -> int:
    """Rows of ``width`` features that hold ``channels``, the last one filled up with zeros."""
    return -(-channels // width)


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

    ``taps`` are the numbers of blocks, ascending, whose pooled maps the head reads instead of ψ: all their
    channels in one row, laid in rows of ``folded`` features, of which it reads the mean. Behind these
    it reads a logit of each class, made of ψ, so that nothing is lost of what the network was trained for.
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
    taps: tuple[int, ...] = ()
    folded: int = 0

    def __post_init__(self) -> None:
        pooled = self.final_channels or (
            self.blocks[-1].out_channels if self.blocks else self.stem_channels
        )
        if not self.mix and self.features != pooled:
            raise ValueError(
                f"network: without a feature mix the {pooled} channels of the pooled map are the "
                f"features; got features {self.features}"
            )
        allowed = self.tappable
        if sorted(set(self.taps) & set(allowed)) != list(self.taps) or len(self.taps) > MOST_TAPS:
            raise ValueError(
                f"network: taps must be up to {MOST_TAPS} of the blocks {allowed}, ascending: those with a map "
                f"of more than one pixel; got {self.taps}"
            )
        if not min(1, self.tapped_channels) <= self.folded <= self.tapped_channels:
            raise ValueError(
                f"network: folded must be from 1 to the {self.tapped_channels} channels of the taps, and 0 where "
                f"there are none; got {self.folded}"
            )

    @property
    def tappable(self) -> tuple[int, ...]:
        """Blocks whose pooled map tells more than a pixel."""
        found, side = [], out_side(self.resolution, self.stem_stride)
        for number, block in enumerate(self.blocks):
            side = out_side(side, block.stride)
            if side > 1:
                found.append(number)
        return tuple(found)

    @property
    def tapped_channels(self) -> int:
        """Channels of all taps."""
        return sum(self.blocks[number].out_channels for number in self.taps)

    @property
    def head_features(self) -> int:
        """What the head reads: ψ, or what taps make of it."""
        return self.folded + self.classes if self.taps else self.features

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
        taps = tuple(numbers.pop("taps", ()))
        return NetworkSpec(blocks=blocks, taps=taps, **numbers)
