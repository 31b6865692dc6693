"""RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR of images, with TensorFlow's three ways to align.

By default pixel y of the output looks at y * scale; with ``half_pixel_centers`` pixels are
areas, not points; with ``align_corners`` the first and last pixels of both images coincide.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from codegen.arithmetic.fixed_point import round_half_away
from codegen.ir import Graph, ModelError, Op
from codegen.ops.base import (
    Array,
    Call,
    Operator,
    Value,
    image_shape,
    output_of,
    require,
    require_activations,
    require_inputs,
)

Float = np.float32
ONE = 1 << 10  # of positions and weights in int8


class Resize(Operator):
    """What both have in common: another height and width, the same codes."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse another scale or number of channels, and a size that is not the output's."""
        require_inputs(op, 2, 2)
        require_activations(graph, op)
        source, size = (graph.tensors[i] for i in op.inputs)
        output = output_of(graph, op)
        require(image_shape(source)[2] == image_shape(output)[2], output, "must keep the channels")
        require(source.quantization == output.quantization, output, "must keep its input's scale")
        whole = size.constant and size.dtype == "int32" and size.shape == (2,)
        require(whole, size, "must be a constant int32 (2,)")
        if size.data is not None:
            given = tuple(size.data.tolist())
            require(given == output.shape[1:3], size, f"must be the output's; got {given}")
        if op.options["half_pixel_centers"] and op.options["align_corners"]:
            raise ModelError("half_pixel_centers and align_corners exclude each other")
        self.check_positions(graph, op)

    @abstractmethod
    def check_positions(self, graph: Graph, op: Op) -> None:
        """Refuse sizes for which a source pixel would lie outside the image."""

    def shapes(self, graph: Graph, op: Op) -> dict[str, Value]:
        """The members ``input`` and ``output``."""
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        return {"input": image_shape(source), "output": image_shape(output)}


class ResizeNearest(Resize):
    """Source rows and columns are computed here, in single precision as TensorFlow Lite does."""

    def check_positions(self, graph: Graph, op: Op) -> None:
        """They are clamped: none can."""

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``resize_nearest``."""
        rows, columns = (_nearest(op, *sides) for sides in _sides(graph, op))
        fields = self.shapes(graph, op) | {
            "rows": Array("rows", rows),
            "columns": Array("columns", columns),
        }
        suffix = "Float" if output_of(graph, op).dtype == "float32" else "Int8"
        return Call(
            "resize_nearest",
            "resize_nearest.hpp",
            f"ResizeNearest{suffix}",
            fields,
            op.inputs[:1],
            op.outputs[0],
        )

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Two bytes for each row and column of the output."""
        return 2 * sum(out for _, out in _sides(graph, op))


class ResizeBilinear(Resize):
    """Source positions are multiples of 1/1024 in int8, reals in float32."""

    def check_positions(self, graph: Graph, op: Op) -> None:
        """TensorFlow Lite's rounded scale can point behind the last pixel of a large output."""
        output = output_of(graph, op)
        if output.dtype == "float32":
            return
        for side, out in _sides(graph, op):
            scale, offset = _fixed_steps(op, side, out)
            last = ((out - 1) * scale + offset) // ONE
            require(last < side and out * scale < 1 << 31, output, "is too large for its input")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``resize_bilinear``."""
        floats = output_of(graph, op).dtype == "float32"
        steps = _float_steps if floats else _fixed_steps
        rows, columns = (steps(op, *sides) for sides in _sides(graph, op))
        fields = self.shapes(graph, op) | {
            "scale_y": rows[0],
            "scale_x": columns[0],
            "offset_y": rows[1],
            "offset_x": columns[1],
        }
        params = "ResizeBilinearFloat" if floats else "ResizeBilinearInt8"
        return Call(
            "resize_bilinear",
            "resize_bilinear.hpp",
            params,
            fields,
            op.inputs[:1],
            op.outputs[0],
        )


def _sides(graph: Graph, op: Op) -> list[tuple[int, int]]:
    """(input's, output's) height, then width."""
    source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
    return list(zip(source.shape[1:3], output.shape[1:3], strict=True))


def _spans(op: Op, side: int, out: int) -> tuple[int, int]:
    """Lengths whose ratio is the scale."""
    return (side - 1, out - 1) if op.options["align_corners"] and out > 1 else (side, out)


def _fixed_steps(op: Op, side: int, out: int) -> tuple[int, int]:
    """(scale, offset): output pixel i looks at (i * scale + offset) / 1024."""
    span_in, span_out = _spans(op, side, out)
    scale = (ONE * span_in + span_out // 2) // span_out
    return scale, scale // 2 - ONE // 2 if op.options["half_pixel_centers"] else 0


def _float_steps(op: Op, side: int, out: int) -> tuple[float, float]:
    """(scale, offset): output pixel i looks at (i + offset) * scale - offset."""
    span_in, span_out = _spans(op, side, out)
    return float(Float(span_in) / Float(span_out)), 0.5 * bool(op.options["half_pixel_centers"])


def _nearest(op: Op, side: int, out: int) -> npt.NDArray[np.int16]:
    """The source row or column of each of the output's."""
    span_in, span_out = _spans(op, side, out)
    half = Float(0.5 if op.options["half_pixel_centers"] else 0)
    positions = (np.arange(out, dtype=Float) + half) * (Float(span_in) / Float(span_out))
    if op.options["align_corners"]:
        positions = np.array([round_half_away(float(position)) for position in positions])
    nearest: npt.NDArray[np.int16] = np.clip(np.floor(positions), 0, side - 1).astype(np.int16)
    return nearest


BILINEAR = ResizeBilinear()
NEAREST = ResizeNearest()
