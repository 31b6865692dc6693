"""A small MobileNetV3 with random weights: every operator of a real extractor, in both dtypes."""

from __future__ import annotations

import numpy as np

from codegen.boards.board import Board
from codegen.ir import Graph
from codegen.learners.base import Learner
from codegen.project import Golden, HeadWeights, Project
from tests.support.extractors import oracle
from tests.support.models import to_flatbuffer
from tools.graphs.builder import Builder

SIDE = 32
FEATURES = 46
CLASSES = 10


class _Network:
    """Appends layers; a tensor is its index and the spread of its real values."""

    def __init__(self, dtype: str) -> None:
        self.b = Builder(np.random.default_rng(11), dtype)
        self.floats = dtype == "float32"

    def activation(self, shape: tuple[int, ...], spread: float) -> tuple[int, float]:
        # Codes of about ±2.5 standard deviations.
        return self.b.activation(shape, spread / 50, int(self.b.rng.integers(-20, 20))), spread

    def shape(self, x: tuple[int, float]) -> tuple[int, ...]:
        return self.b.tensors[x[0]].shape

    def conv(
        self, x: tuple[int, float], channels: int | None, kernel: int, stride: int, fused: str
    ) -> tuple[int, float]:
        """CONV_2D, or DEPTHWISE_CONV_2D where ``channels`` is None."""
        _, side, _, depth = self.shape(x)
        out = channels or depth
        shape = (out, kernel, kernel, depth) if channels else (1, kernel, kernel, depth)
        codes = self.b.rng.integers(-127, 128, shape)
        scales = tuple(self.b.rng.uniform(0.004, 0.012, out))
        axis = 0 if channels else 3
        broad = np.array(scales).reshape([-1 if i == axis else 1 for i in range(4)])
        taps = kernel * kernel * (depth if channels else 1)
        y = self.activation(
            (1, -(-side // stride), -(-side // stride), out), 0.59 * x[1] * taps**0.5
        )
        bias = self.b.rng.normal(0, y[1] / 3, out)
        if self.floats:
            w = self.b.constant((codes * broad).astype(np.float32))
            c = self.b.constant(bias.astype(np.float32))
        else:
            scale = self.b.tensors[x[0]].quantization.scales[0]
            w = self.b.constant(codes.astype(np.int8), scales, axis)
            c = self.b.constant(np.rint(bias / (scale * np.array(scales))).astype(np.int32))
        kind, extra = (
            ("CONV_2D", {}) if channels else ("DEPTHWISE_CONV_2D", {"depth_multiplier": 1})
        )
        strides = {"stride_h": stride, "stride_w": stride, "dilation_h": 1, "dilation_w": 1}
        options = {"padding": "SAME", "fused_activation": fused, **strides, **extra}
        self.b.operator(kind, (x[0], w, c), y[0], **options)
        return y

    def op(
        self, kind: str, inputs: tuple[int, ...], like: tuple[int, float], **options: object
    ) -> tuple[int, float]:
        y = self.activation(self.shape(like), like[1])
        self.b.operator(kind, inputs, y[0], **options)
        return y

    def hard_swish(self, x: tuple[int, float]) -> tuple[int, float]:
        return self.op("HARD_SWISH", (x[0],), x)

    def mean(self, x: tuple[int, float]) -> tuple[int, float]:
        axes = self.b.constant(np.array([1, 2], np.int32))
        y = self.activation((1, 1, 1, self.shape(x)[3]), x[1] / 10)
        self.b.operator("MEAN", (x[0], axes), y[0], keep_dims=True)
        return y

    def block(self, x: tuple[int, float], hidden: int, kernel: int) -> tuple[int, float]:
        """Inverted residual with squeeze-excite."""
        y = self.hard_swish(self.conv(x, hidden, 1, 1, "NONE"))
        y = self.hard_swish(self.conv(y, None, kernel, 1, "NONE"))
        gate = self.conv(self.mean(y), 8, 1, 1, "RELU")
        gate = self.conv(gate, hidden, 1, 1, "RELU6")
        y = self.op("MUL", (y[0], gate[0]), y, fused_activation="NONE")
        y = self.conv(y, self.shape(x)[3], 1, 1, "NONE")
        return self.op("ADD", (x[0], y[0]), y, fused_activation="NONE")


def mobile_graph(dtype: str = "int8") -> Graph:
    """From an image of 32x32x3 to 46 features."""
    net = _Network(dtype)
    image = net.b.activation((1, SIDE, SIDE, 3), 1 / 128, 0)
    x = net.hard_swish(net.conv((image, 0.5), 12, 3, 2, "NONE"))
    x = net.conv(net.conv(x, None, 3, 2, "RELU"), 16, 1, 1, "NONE")
    x = net.block(net.block(x, 40, 5), 24, 3)
    x = net.hard_swish(net.conv(net.mean(x), FEATURES, 1, 1, "NONE"))
    y = (
        net.b.activation((1, FEATURES), x[1] / 50, net.b.tensors[x[0]].quantization.zero_points[0])
        if not net.floats
        else net.b.activation((1, FEATURES))
    )
    net.b.operator("RESHAPE", (x[0],), y)
    return net.b.graph(image, y)


def mobile_project(
    board: Board, images: np.ndarray, learner: Learner, buffer_samples: int
) -> Project:
    """The network with a random head; ``images`` uint8 (N, 32, 32, 3) become golden vectors."""
    graph = mobile_graph()
    rng = np.random.default_rng(12)
    weights = rng.normal(0, 0.1, (CLASSES, FEATURES)).astype(np.float32)
    head = HeadWeights(weights, np.zeros(CLASSES, np.float32))
    codes = to_codes(images)
    golden = Golden(codes, oracle(to_flatbuffer(graph), codes).reshape(len(codes), FEATURES))
    return Project("mobile", graph, head, learner, buffer_samples, board, golden)


def to_codes(pixels: np.ndarray) -> np.ndarray:
    """The network's int8 input: pixel - 128."""
    return (pixels.astype(np.int16) - 128).astype(np.int8)
