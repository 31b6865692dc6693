"""What a network costs wherever it runs: parameters, multiply-adds and activations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tinyml_nas.network.spec import IMAGE_CHANNELS, NetworkSpec, out_side


@dataclass(frozen=True)
class LayerCost:
    """One layer: its weights (biases counted, BatchNorm folded), multiply-adds and output elements.

    ``name`` is the path of the layer in ``StaticNetwork``.
    """

    name: str
    parameters: int
    macs: int
    inputs: int
    outputs: int


def conv_cost(
    name: str, in_side: int, stride: int, kernel: int, channels: tuple[int, int], groups: int = 1
) -> LayerCost:
    """Cost of a padded k x k convolution on a square map of ``in_side`` pixels."""
    in_channels, out_channels = channels
    side = out_side(in_side, stride)
    weights = kernel * kernel * in_channels // groups * out_channels
    return LayerCost(
        name=name,
        parameters=weights + out_channels,
        macs=weights * side * side,
        inputs=in_channels * in_side * in_side,
        outputs=out_channels * side * side,
    )


def layers(spec: NetworkSpec) -> Iterator[LayerCost]:
    """Cost of each layer with weights, in order; the last one is the head Φ_c."""
    side = spec.resolution
    yield conv_cost("stem", side, spec.stem_stride, 3, (IMAGE_CHANNELS, spec.stem_channels))
    side = out_side(side, spec.stem_stride)
    for index, block in enumerate(spec.blocks):
        name, hidden = f"blocks.{index}", block.hidden_channels
        if block.expand:
            yield conv_cost(f"{name}.expand", side, 1, 1, (block.in_channels, hidden))
        yield conv_cost(
            f"{name}.depthwise", side, block.stride, block.kernel, (hidden, hidden), groups=hidden
        )
        side = out_side(side, block.stride)
        if block.se_channels:
            yield conv_cost(f"{name}.se.reduce", 1, 1, 1, (hidden, block.se_channels))
            yield conv_cost(f"{name}.se.expand", 1, 1, 1, (block.se_channels, hidden))
        yield conv_cost(f"{name}.project", side, 1, 1, (hidden, block.out_channels))
    channels = spec.blocks[-1].out_channels
    if spec.final_channels:
        yield conv_cost("final", side, 1, 1, (channels, spec.final_channels))
        channels = spec.final_channels
    if spec.mix:
        yield conv_cost("mix", 1, 1, 1, (channels, spec.features))
    if spec.taps:
        said = conv_cost("said", 1, 1, 1, (spec.features, spec.classes))
        yield replace(said, parameters=said.parameters - spec.classes)  # it has no bias
    yield conv_cost("classifier", 1, 1, 1, (spec.head_features, spec.classes))


def thesis_size_bytes(spec: NetworkSpec) -> int:
    """Size of the float32 network as the thesis counts it (equations 3 and 4): bytes.

    The extractor's parameters and its largest pair of adjacent activations, and the head's
    parameters and activations, 4 bytes each.
    """
    *extractor, head = layers(spec)
    peak = max(layer.inputs + layer.outputs for layer in extractor)
    weights = sum(layer.parameters for layer in extractor)
    return 4 * (weights + peak + head.parameters + head.outputs)
