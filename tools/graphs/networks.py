"""Random networks of this field's building blocks: chains, branches, residuals, squeeze-excite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from codegen.ir import Graph
from tools.graphs.builder import Builder

Pick = Callable[[int, int], int]  # a whole number from low to high, both included
SCALE = 0.05


class Network:
    """Appends blocks to a graph; what varies is asked of ``pick``. Tensors are indices."""

    def __init__(self, pick: Pick, rng: np.random.Generator, largest: int = 16) -> None:
        self.pick, self.b, self.largest = pick, Builder(rng), largest

    def build(self, blocks: int) -> Graph:
        """From an image through ``blocks`` blocks."""
        side = self.pick(1, self.largest)
        x = image = self.b.activation((1, side, self.pick(1, self.largest), self.channels()), SCALE)
        for _ in range(blocks):
            x = self.block(x)
        return self.b.graph(image, x)

    def block(self, x: int) -> int:
        """One building block."""
        kinds = (
            self.convolution,
            self.depthwise,
            self.pool,
            self.activation,
            self.pad,
            self.squeeze_excite,
            self.inverted_residual,
            self.branches,
        )
        return kinds[self.pick(0, len(kinds) - 1)](x)

    def shape(self, x: int) -> tuple[int, ...]:
        """The tensor's."""
        return self.b.tensors[x].shape

    def codes(self, x: int) -> tuple[float, int]:
        """Scale and zero point."""
        quantization = self.b.tensors[x].quantization
        assert quantization is not None
        return quantization.scales[0], quantization.zero_points[0]

    def channels(self) -> int:
        """A number of them."""
        return self.pick(1, self.largest)

    def convolution(self, x: int, channels: int | None = None, **window: Any) -> int:
        """Any kernel, stride and padding unless ``window`` says otherwise."""
        depth = self.shape(x)[3]
        channels = channels or self.channels()
        options, sides = self.window(x, **window)
        kernel = options.pop("kernel")
        weights = self.weights((channels, *kernel, depth), 0)
        y = self.output((1, *sides, channels), kernel[0] * kernel[1] * depth)
        return self.b.operator("CONV_2D", (x, *weights), y, **options)

    def depthwise(self, x: int, multiplier: int | None = None, **window: Any) -> int:
        """As ``convolution``, with a multiplier of 1 or 2."""
        multiplier = multiplier or self.pick(1, 2)
        channels = multiplier * self.shape(x)[3]
        options, sides = self.window(x, **window)
        kernel = options.pop("kernel")
        weights = self.weights((1, *kernel, channels), 3)
        y = self.output((1, *sides, channels), kernel[0] * kernel[1])
        return self.b.operator(
            "DEPTHWISE_CONV_2D", (x, *weights), y, depth_multiplier=multiplier, **options
        )

    def pool(self, x: int) -> int:
        """Average or maximum."""
        options, sides = self.window(x)
        kernel = options.pop("kernel")
        del options["dilation_h"], options["dilation_w"]
        scale, zero = self.codes(x)
        y = self.b.activation((1, *sides, self.shape(x)[3]), scale, zero)
        kind = ("AVERAGE_POOL_2D", "MAX_POOL_2D")[self.pick(0, 1)]
        return self.b.operator(kind, (x,), y, filter_h=kernel[0], filter_w=kernel[1], **options)

    def activation(self, x: int) -> int:
        """HARD_SWISH."""
        return self.b.operator("HARD_SWISH", (x,), self.b.activation(self.shape(x), SCALE))

    def pad(self, x: int) -> int:
        """PAD; what follows may absorb it."""
        amounts = np.array([[0, 0], *([self.pick(0, 2), self.pick(0, 2)] for _ in "hwc")], np.int32)
        shape = tuple(int(n) for n in np.array(self.shape(x)) + amounts.sum(axis=1))
        y = self.b.activation(shape, *self.codes(x))
        return self.b.operator("PAD", (x, self.b.constant(amounts)), y)

    def squeeze_excite(self, x: int) -> int:
        """Channels scaled by a gate that sees all of the image."""
        axes = self.b.constant(np.array([1, 2], np.int32))
        gate = self.b.activation((1, 1, 1, self.shape(x)[3]), SCALE)
        self.b.operator("MEAN", (x, axes), gate, keep_dims=True)
        gate = self.pointwise(self.pointwise(gate, self.channels()), self.shape(x)[3])
        y = self.b.activation(self.shape(x), 1.0)
        return self.b.operator("MUL", (x, gate), y, fused_activation="NONE")

    def inverted_residual(self, x: int) -> int:
        """With and without a sum; the expansion is wide enough to be worth fusing."""
        depth = self.shape(x)[3]
        y = self.pointwise(x, self.pick(2, 4) * depth)
        residual = self.pick(0, 1) == 1
        window: dict[str, Any] = {"stride": 1, "padding": "SAME"} if residual else {}
        y = self.depthwise(y, multiplier=self.pick(1, 4) // 4 + 1, **window)
        y = self.pointwise(y, depth if residual else self.channels())
        return self.add(x, y) if residual else y

    def branches(self, x: int) -> int:
        """Two or three ways of different widths from ``x``, added; one of them may be short."""
        channels = self.channels()
        ends = []
        for _ in range(self.pick(2, 3)):
            y = x
            for _ in range(self.pick(0, 1)):
                y = self.convolution(y, stride=1, padding="SAME")
            ends.append(self.pointwise(y, channels))
        total = ends[0]
        for end in ends[1:]:
            total = self.add(total, end)
        return total

    def pointwise(self, x: int, channels: int) -> int:
        """A 1x1 convolution."""
        return self.convolution(x, channels, kernel=1, stride=1, padding="SAME")

    def add(self, a: int, b: int) -> int:
        """Two of one shape."""
        y = self.b.activation(self.shape(a), 1.5 * SCALE)
        return self.b.operator("ADD", (a, b), y, fused_activation="NONE")

    def window(
        self, x: int, kernel: int = 0, stride: int = 0, padding: str = ""
    ) -> tuple[dict[str, Any], list[int]]:
        """Options of a sliding window, and the height and width of what it gives."""
        sides = self.shape(x)[1:3]
        padding = padding or ("SAME", "VALID")[self.pick(0, 1)]
        largest = [min(side, 5) if padding == "VALID" else 5 for side in sides]
        kernels = [kernel or self.pick(1, limit) for limit in largest]
        strides = [stride or self.pick(1, 3) for _ in sides]
        outputs = [
            -(-side // s) if padding == "SAME" else (side - k) // s + 1
            for side, k, s in zip(sides, kernels, strides, strict=True)
        ]
        activation = ("NONE", "RELU")[self.pick(0, 1)]
        options: dict[str, Any] = {
            "padding": padding,
            "stride_h": strides[0],
            "stride_w": strides[1],
            "dilation_h": 1,
            "dilation_w": 1,
            "fused_activation": activation,
            "kernel": tuple(kernels),
        }
        return options, outputs

    def weights(self, shape: tuple[int, ...], axis: int) -> tuple[int, int]:
        """Weights and bias."""
        rng, channels = self.b.rng, shape[axis]
        scales = tuple(rng.uniform(0.005, 0.015, channels))
        codes = rng.integers(-127, 128, shape).astype(np.int8)
        bias = rng.integers(-2000, 2000, channels).astype(np.int32)
        return self.b.constant(codes, scales, axis), self.b.constant(bias, scales)

    def output(self, shape: tuple[int, ...], taps: int) -> int:
        """An activation whose codes spread over the range for sums of ``taps`` products."""
        return self.b.activation(shape, float(SCALE * 73 * 0.01 * np.sqrt(taps)))


def random_network(seed: int, blocks: int = 6) -> Graph:
    """A network as the converter would write it."""
    rng = np.random.default_rng(seed)
    return Network(picks(rng), rng).build(blocks)


def picks(rng: np.random.Generator) -> Pick:
    """Picks every number with the same chance."""
    return lambda low, high: int(rng.integers(low, high + 1))
