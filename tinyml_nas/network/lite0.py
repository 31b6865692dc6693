"""EfficientNet-Lite0 (Tan and Le 2019; Liu 2020) as plain numbers.

A 3x3 stem of stride 2, seven stages of inverted residuals without squeeze-excite, a 1x1 expansion to
1,280 channels, the mean over the map and a dense head; ReLU6 throughout, TensorFlow's ``same``
padding, 3.37 M parameters without the head. The input is (pixel - 127) / 128, RGB.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_nas.network.spec import BlockSpec, NetworkSpec

STEM_CHANNELS = 32
FINAL_CHANNELS = 1280
NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class Stage:
    """Blocks of one width; the first one has the stage's stride."""

    kernel: int
    expansion: int
    channels: int
    blocks: int
    stride: int


STAGES = (
    Stage(kernel=3, expansion=1, channels=16, blocks=1, stride=1),
    Stage(kernel=3, expansion=6, channels=24, blocks=2, stride=2),
    Stage(kernel=5, expansion=6, channels=40, blocks=2, stride=2),
    Stage(kernel=3, expansion=6, channels=80, blocks=3, stride=2),
    Stage(kernel=5, expansion=6, channels=112, blocks=3, stride=1),
    Stage(kernel=5, expansion=6, channels=192, blocks=4, stride=2),
    Stage(kernel=3, expansion=6, channels=320, blocks=1, stride=1),
)


def lite0_block(
    in_channels: int, hidden: int, out_channels: int, kernel: int, stride: int
) -> BlockSpec:
    """An inverted residual as Lite0 has it; ``hidden`` equal to ``in_channels`` has no expansion."""
    return BlockSpec(
        in_channels=in_channels,
        hidden_channels=hidden,
        out_channels=out_channels,
        kernel=kernel,
        stride=stride,
        se_channels=0,
        activation="relu6",
        expand=hidden != in_channels,
        residual=stride == 1 and in_channels == out_channels,
    )


def lite0_network(
    blocks: tuple[BlockSpec, ...], resolution: int, classes: int, final_channels: int
) -> NetworkSpec:
    """Lite0's stem and tail around ``blocks``; ``final_channels`` 0 leaves the 1x1 expansion out."""
    return NetworkSpec(
        resolution=resolution,
        classes=classes,
        stem_channels=STEM_CHANNELS,
        stem_stride=2,
        blocks=blocks,
        final_channels=final_channels,
        features=final_channels or blocks[-1].out_channels,
        activation="relu6",
        padding="same",
        mix=False,
        norm_epsilon=NORM_EPSILON,
    )


def lite0_spec(resolution: int, classes: int) -> NetworkSpec:
    """The whole network."""
    blocks: list[BlockSpec] = []
    channels = STEM_CHANNELS
    for stage in STAGES:
        for position in range(stage.blocks):
            stride = stage.stride if position == 0 else 1
            hidden = channels * stage.expansion
            blocks.append(lite0_block(channels, hidden, stage.channels, stage.kernel, stride))
            channels = stage.channels
    return lite0_network(tuple(blocks), resolution, classes, FINAL_CHANNELS)
