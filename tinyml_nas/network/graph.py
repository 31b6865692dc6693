"""A network's extractor as the generator sees it: shapes alone, for planning.

The search asks the generator's own planner what a candidate costs. This graph has the operators and
the tensor shapes that ``codegen.frontend.read`` makes of the converted and quantized network: in int8
hard-swishes have become 256-byte tables of the convolution before them; in float they are operators.
``tests/tinyml_nas/network/test_graph.py`` holds the two against each other.
"""

from __future__ import annotations

from typing import Literal

from codegen.ir import DType, Graph, Op, Tensor
from codegen.ops.window import rows_met
from tinyml_nas.network.spec import (
    IMAGE_CHANNELS,
    Activation,
    BlockSpec,
    NetworkSpec,
    Padding,
    out_side,
    rows_of,
    zeros_around,
)

Dtype = Literal["int8", "float32"]
"""Of an extractor: quantized, or as it was trained."""

Fused = Literal["NONE", "RELU", "RELU6", "TABLE"]
FUSED: dict[Activation, Fused] = {"relu": "RELU", "relu6": "RELU6", "hard_swish": "TABLE"}
BIAS: dict[Dtype, DType] = {"int8": "int32", "float32": "float32"}
TABLE_ENTRIES = 256


def graph_of(spec: NetworkSpec, dtype: Dtype = "int8") -> Graph:
    """Φ_f of ``spec``, from the image (1, S, S, 3) to what the head reads, (1, 1, 1, F)."""
    build = _Builder(spec.padding, dtype)
    side, fused = spec.resolution, FUSED[spec.activation]
    image = build.tensor("image", (1, side, side, IMAGE_CHANNELS))
    x = build.conv(image, spec.stem_channels, 3, spec.stem_stride, fused)
    maps = []
    for number, block in enumerate(spec.blocks):
        x = build.block(x, block)
        if number in spec.taps:
            maps.append(x)
    if spec.final_channels:
        x = build.conv(x, spec.final_channels, fused=fused)
    x = build.mean(x)
    if spec.mix:
        x = build.conv(x, spec.features, fused=fused)
    if spec.taps:
        said = build.conv(x, spec.classes)
        x = build.joined([build.fold(maps, spec.folded), said])
    return Graph(tuple(build.tensors), tuple(build.ops), (image,), (x,))


class _Builder:
    """Appends operators; tensors are passed around by index."""

    def __init__(self, padding: Padding, dtype: Dtype) -> None:
        self.padding: Padding = padding
        self.dtype: Dtype = dtype
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []
        self.means: dict[int, int] = {}  # the converter computes none twice

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: DType | None = None,
        constant: bool = False,
    ) -> int:
        self.tensors.append(Tensor(name, shape, dtype or self.dtype, constant=constant))
        return len(self.tensors) - 1

    def op(
        self,
        kind: str,
        inputs: tuple[int, ...],
        shape: tuple[int, ...],
        **options: int | str | bool,
    ) -> int:
        out = self.tensor(f"{kind.lower()}_{len(self.ops)}", shape)
        self.ops.append(Op(kind, inputs, (out,), options))
        return out

    def block(self, x: int, block: BlockSpec) -> int:
        fused = FUSED[block.activation]
        y = x
        if block.expand:
            y = self.conv(y, block.hidden_channels, fused=fused)
        y = self.conv(y, None, block.kernel, block.stride, fused)
        if block.se_channels:
            gate = self.conv(self.mean(y), block.se_channels, fused="RELU")
            gate = self.gate(gate, block.hidden_channels)
            y = self.op("MUL", (y, gate), self.tensors[y].shape, fused_activation="NONE")
        y = self.conv(y, block.out_channels)
        if block.residual:
            shape = self.tensors[y].shape
            if shape[1] == 1:  # TensorFlow writes a single pixel as a vector, which costs nothing
                axes = self.tensor("shape", (1,), "int32", constant=True)
                y = self.op("RESHAPE", (y, axes), shape[-1:])
            y = self.op("ADD", (x, y), shape, fused_activation="NONE")
        return y

    def gate(self, x: int, channels: int) -> int:
        """A hard sigmoid's convolution: a table in int8, in float relu6(x + 3) / 6."""
        if self.dtype == "int8":
            return self.conv(x, channels, fused="TABLE")
        y = self.conv(x, channels, fused="RELU6")
        sixth = self.tensor("sixth", (), constant=True)
        return self.op("MUL", (y, sixth), self.tensors[y].shape, fused_activation="NONE")

    def conv(
        self,
        x: int,
        channels: int | None = None,
        kernel: int = 1,
        stride: int = 1,
        fused: Fused = "NONE",
    ) -> int:
        """CONV_2D to ``channels``, or DEPTHWISE_CONV_2D where that is None."""
        _, side, _, in_channels = self.tensors[x].shape
        out = out_side(side, stride)
        before, _ = zeros_around(side, kernel, stride, self.padding)
        rows = rows_met(kernel, before, stride, side, out)  # the compiler drops the others
        kernel, before = rows.stop - rows.start, before - rows.start
        options: dict[str, int | str | bool] = {
            "padding": "EXPLICIT",
            "pad_top": before,
            "pad_left": before,
            "stride_h": stride,
            "stride_w": stride,
            "dilation_h": 1,
            "dilation_w": 1,
            "fused_activation": "NONE" if fused == "TABLE" else fused,
        }
        if channels is None:
            kind, channels = "DEPTHWISE_CONV_2D", in_channels
            shape = (1, kernel, kernel, in_channels)
            options["depth_multiplier"] = 1
        else:
            kind, shape = "CONV_2D", (channels, kernel, kernel, in_channels)
        inputs = [
            x,
            self.tensor("weights", shape, constant=True),
            self.tensor("bias", (channels,), BIAS[self.dtype], constant=True),
        ]
        if fused == "TABLE" and self.dtype == "int8":
            inputs.append(self.tensor("table", (TABLE_ENTRIES,), constant=True))
        y = self.op(kind, tuple(inputs), (1, out, out, channels), **options)
        if fused == "TABLE" and self.dtype == "float32":
            y = self.op("HARD_SWISH", (y,), (1, out, out, channels))
        return y

    def mean(self, x: int) -> int:
        """The mean over the map; of a single pixel it is the pixel, as it is converted."""
        if self.tensors[x].shape[1] == 1:
            return x
        if x not in self.means:
            axes = self.tensor("axes", (2,), "int32", constant=True)
            channels = self.tensors[x].shape[-1]
            self.means[x] = self.op("MEAN", (x, axes), (1, 1, 1, channels), keep_dims=True)
        return self.means[x]

    def fold(self, maps: list[int], width: int) -> int:
        """As ``fold.Fold``; the last tap comes first, as it is converted."""
        pooled = [self.mean(x) for x in reversed(maps)]
        row = self.joined(pooled[::-1])
        channels = self.tensors[row].shape[-1]
        rows = rows_of(channels, width)
        if rows == 1:
            return row
        if channels < rows * width:
            around = self.tensor("around", (4, 2), "int32", constant=True)
            row = self.op("PAD", (row, around), (1, 1, 1, rows * width))
        shape = self.tensor("shape", (4,), "int32", constant=True)
        return self.mean(self.op("RESHAPE", (row, shape), (1, rows, 1, width)))

    def joined(self, parts: list[int]) -> int:
        if len(parts) == 1:
            return parts[0]
        channels = sum(self.tensors[x].shape[-1] for x in parts)
        shape = (1, 1, 1, channels)
        return self.op("CONCATENATION", tuple(parts), shape, axis=-1, fused_activation="NONE")
