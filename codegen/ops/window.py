"""The sliding window that convolutions and poolings share: kernel, strides and padding."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from codegen.ir import DTYPE_BYTES, DType, ModelError, Op, Tensor
from codegen.ops.base import Value, image_shape, require
from codegen.ops.sweep import Sweep


@dataclass(frozen=True)
class Window:
    """``runtime/kernels/common.hpp``'s Window. Padding below and to the right is implied."""

    input: tuple[int, int, int]
    output: tuple[int, int, int]
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    pad_top: int
    pad_left: int

    @property
    def value(self) -> Value:
        """Its C++ initialiser."""
        return asdict(self)

    def sweep(self, dtype: DType) -> Sweep:
        """How a kernel slides the window down an image of ``dtype``."""
        height, element = self.input[0], DTYPE_BYTES[dtype]
        rows = []
        for y in range(self.output[0]):
            top = y * self.stride_h - self.pad_top
            rows.append((min(max(top, 0), height), min(max(top + self.kernel_h, 0), height)))
        return Sweep(
            tuple(rows),
            self.input[1] * self.input[2] * element,
            self.output[1] * self.output[2] * element,
        )


def window_of(op: Op, source: Tensor, output: Tensor, kernel: tuple[int, int]) -> Window:
    """Resolve padding as TensorFlow does: SAME puts the odd row and column below and right.

    ``EXPLICIT`` padding, which the simplifier makes, is given by ``pad_top`` and ``pad_left``.

    Raises:
        ModelError: for shapes that do not follow from the options.
    """
    shape_in, shape_out = image_shape(source), image_shape(output)
    padding = str(op.options["padding"])
    strides = int(op.options["stride_h"]), int(op.options["stride_w"])
    if min(strides) < 1 or min(kernel) < 1 or max(*strides, *kernel) >= 1 << 15:
        raise ModelError(f"kernel and strides must be 1 to 32767; got {kernel}, {strides}")
    if padding == "EXPLICIT":
        pads = [int(op.options["pad_top"]), int(op.options["pad_left"])]
    else:
        pads = []
        for side_in, side_out, size, stride in zip(
            shape_in, shape_out, kernel, strides, strict=False
        ):
            span = side_in + (stride - 1 if padding == "SAME" else stride - size)
            require(
                span // stride == side_out and side_out > 0,
                output,
                f"does not follow from input {source.shape}, kernel {kernel}, strides {strides} "
                f"and padding {padding}",
            )
            pads.append(max((side_out - 1) * stride + size - side_in, 0) // 2)
    if padding == "VALID":
        pads = [0, 0]
    return Window(shape_in, shape_out, *kernel, *strides, *pads)
