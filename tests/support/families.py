"""Families of random int8 models: ``cases``, and what the kernels for Cortex-M treat on its own.

Channels are those of real networks and around the 16 lanes of a vector; windows, rows and areas are
around the sizes from which on a kernel takes another path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from codegen.ir import Graph
from tools.graphs import cases
from tools.graphs.builder import Builder
from tools.graphs.networks import SCALE, Network, picks

SIDES = (1, 2, 3, 4, 5, 7, 8, 9, 12)
CHANNELS = (1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 24, 31, 32, 33, 40, 64, 96)
# Weights of a window: MVE takes four pixels at a time up to 592, and the fast kernels end at 1152.
DEPTHS_OF_LONG_WINDOWS = (64, 65, 66, 67, 80, 96, 127, 128, 129)


def pointwise(rng: np.random.Generator, dtype: str) -> Graph:
    """A 1x1 convolution with the channels of real networks."""
    return _convolution(rng, dtype, kernel=1)


def narrow_pointwise(rng: np.random.Generator, dtype: str) -> Graph:
    """1x1 of whole vectors on rows of a few pixels: groups of pixels reach into the next row."""
    sides = (int(rng.integers(2, 7)), int(rng.choice([1, 2, 3, 3, 5, 6])))
    depth = 16 * int(rng.integers(1, 5))
    channels = depth + int(rng.choice([0, 0, -7, 5]))
    return _convolution(rng, dtype, kernel=1, sides=sides, depth=depth, channels=channels, stride=1)


def wide_depthwise(rng: np.random.Generator, dtype: str) -> Graph:
    """3x3 and 5x5 depthwise convolutions, stride 1 and 2, with the channels of real networks."""
    return _convolution(rng, dtype, kernel=int(rng.choice([3, 5])), depthwise=True)


def rectified(rng: np.random.Generator, dtype: str) -> Graph:
    """Convolutions whose negative sums all give -128, as behind a rectifier."""
    kernel = int(rng.choice([1, 3, 5]))
    depthwise = kernel > 1 and bool(rng.random() < 0.5)
    return _convolution(rng, dtype, kernel=kernel, depthwise=depthwise, zero_point=-128)


def stem(rng: np.random.Generator, dtype: str) -> Graph:
    """3x3 and 5x5 convolutions, stride 1 and 2."""
    return _convolution(rng, dtype, kernel=int(rng.choice([3, 5])))


def long_window(rng: np.random.Generator, dtype: str) -> Graph:
    """3x3 convolutions of 576 to 1161 weights an output channel."""
    depth, channels = int(rng.choice(DEPTHS_OF_LONG_WINDOWS)), int(rng.integers(1, 10))
    sides = (int(rng.integers(1, 4)), int(rng.integers(1, 6)))
    return _convolution(rng, dtype, kernel=3, sides=sides, depth=depth, channels=channels)


def eight_channels(rng: np.random.Generator, dtype: str) -> Graph:
    """Depthwise, 1x1 to 7x7, of 8 channels: two pixels a vector, and an odd number of them."""
    sides = (int(rng.integers(1, 6)), int(rng.choice([1, 3, 5, 9, 13, 97])))
    kernel = int(rng.integers(1, 8))
    return _convolution(rng, dtype, kernel=kernel, sides=sides, depth=8, stride=1, depthwise=True)


def long_rows(rng: np.random.Generator, dtype: str) -> Graph:
    """Depthwise rows that do not fit the kernels' buffers at once."""
    sides = (int(rng.integers(1, 4)), int(rng.integers(40, 130)))
    depth, kernel = int(rng.choice([4, 7, 8, 16, 17, 24, 33])), int(rng.choice([3, 5, 7]))
    return _convolution(rng, dtype, kernel=kernel, sides=sides, depth=depth, depthwise=True)


def squeeze_excite(rng: np.random.Generator, dtype: str) -> Graph:
    """MEAN over up to 729 pixels of 1 to 40 channels, times the source or alone."""
    b = Builder(rng, dtype)
    height, width = (int(n) for n in rng.choice([1, 5, 16, 17, 19, 27], 2))
    channels = int(rng.integers(1, 41))
    source = b.activation((1, height, width, channels), rng.uniform(0.01, 0.1))
    axes = b.constant(np.array([1, 2], np.int32))
    means = b.activation((1, 1, 1, channels), rng.uniform(0.002, 0.02))
    b.operator("MEAN", (source, axes), means, keep_dims=True)
    if rng.random() < 0.5:
        return b.graph(source, means)
    output = b.activation((1, height, width, channels), rng.uniform(0.005, 0.1))
    b.operator("MUL", (source, means), output, fused_activation="NONE")
    return b.graph(source, output)


def wide_pool(rng: np.random.Generator, dtype: str) -> Graph:
    """Average or maximum of any window, 1 to 40 channels."""
    network = Network(picks(rng), rng, largest=40)
    sides = (int(n) for n in rng.choice(SIDES, 2))
    image = network.b.activation((1, *sides, network.channels()), SCALE)
    return network.b.graph(image, network.pool(image))


def inverted_residual(rng: np.random.Generator, dtype: str) -> Graph:
    """Any window between two 1x1 convolutions, each with or without a table; some with a sum."""
    network = Network(picks(rng), rng, largest=40)
    height, width = (int(n) for n in rng.choice(SIDES, 2))
    image = network.b.activation((1, height, width, network.channels()), SCALE)
    residual = bool(rng.random() < 0.4)

    def maybe_activated(x: int) -> int:
        return network.activation(x) if rng.random() < 0.4 else x

    y = maybe_activated(network.pointwise(image, network.channels()))
    window: dict[str, int | str] = {"stride": 1, "padding": "SAME"} if residual else {}
    y = maybe_activated(network.depthwise(y, multiplier=network.pick(1, 4) // 4 + 1, **window))
    y = network.pointwise(y, network.shape(image)[3] if residual else network.channels())
    return network.b.graph(image, network.add(image, y) if residual else maybe_activated(y))


def network(rng: np.random.Generator, dtype: str) -> Graph:
    """Some blocks of a network, whose plan overlaps tensors and fuses blocks."""
    return Network(picks(rng), rng).build(blocks=5)


def _convolution(
    rng: np.random.Generator,
    dtype: str,
    *,
    kernel: int,
    sides: tuple[int, ...] = (),
    depth: int = 0,
    channels: int = 0,
    stride: int = 0,
    depthwise: bool = False,
    zero_point: int | None = None,
) -> Graph:
    """SAME padding; what is not given is drawn."""
    b = Builder(rng, dtype)
    height, width = sides or (int(n) for n in rng.choice(SIDES, 2))
    depth, channels = depth or int(rng.choice(CHANNELS)), channels or int(rng.choice(CHANNELS))
    channels = depth if depthwise else channels
    stride = stride or (int(rng.integers(1, 3)) if kernel > 1 or rng.random() < 0.2 else 1)
    shape = (1, kernel, kernel, channels) if depthwise else (channels, kernel, kernel, depth)
    scales = tuple(rng.uniform(0.001, 0.02, channels))
    source = b.activation((1, height, width, depth))
    codes = rng.integers(-127, 128, shape).astype(np.int8)
    weights = b.constant(codes, scales, 3 if depthwise else 0)
    bias = rng.integers(-3000, 3000, channels).astype(np.int32)
    inputs = (source, weights, b.constant(bias, tuple(0.05 * scale for scale in scales)))
    spread = 2.7 * np.sqrt(kernel * kernel * (1 if depthwise else depth))
    outputs = (-(-height // stride), -(-width // stride))
    output = b.activation((1, *outputs, channels), spread / 64 * rng.uniform(0.5, 2), zero_point)
    options = {"padding": "SAME", "stride_h": stride, "stride_w": stride}
    options |= {"fused_activation": str(rng.choice(["NONE", "RELU", "RELU6"]))}
    options |= {"dilation_h": 1, "dilation_w": 1} | ({"depth_multiplier": 1} if depthwise else {})
    b.operator("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", inputs, output, **options)
    return b.graph(source, output)


# One operator, which promises an order of rows.
ROWS = (
    pointwise,
    narrow_pointwise,
    wide_depthwise,
    stem,
    long_window,
    eight_channels,
    long_rows,
    wide_pool,
)
# One plain kernel for all cores: a few models show what the others' many have to.
PLAIN = (
    *("transpose", "part", "parts", "renamed", "extremes", "largest"),
    *("curves", "gelu", "prelu", "dilated", "batches", "padded_line", "backwards"),
)
FAMILIES: Mapping[str, Callable[[np.random.Generator, str], Graph]] = {
    **cases.CASES,
    **{
        case.__name__: case
        for case in (*ROWS, rectified, squeeze_excite, inverted_residual, network)
    },
}
