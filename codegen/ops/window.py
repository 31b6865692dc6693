"""The sliding window that convolutions and poolings share: kernel, strides and padding."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from codegen.ir import DTYPE_BYTES, DType, ModelError, Op, Tensor
from codegen.ops.base import Value, image_shape, require
from codegen.ops.sweep import Sweep

RUN = 32  # outputs that a kernel of one row makes together; runtime/kernels/common.hpp knows it


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

    def met(self, axis: int) -> slice:
        """Rows (axis 0) or columns (1) of the kernel from the first to the last that meets a pixel."""
        pads, strides = (self.pad_top, self.pad_left), (self.stride_h, self.stride_w)
        size = (self.kernel_h, self.kernel_w)[axis]
        return rows_met(size, pads[axis], strides[axis], self.input[axis], self.output[axis])

    @property
    def lying(self) -> Window:
        """The same window where a column of pixels, as it is the same bytes, is taken for a row."""
        column = self.input[1] == self.output[1] == self.kernel_w == 1 and self.pad_left == 0
        if not column:
            return self
        return replace(
            self,
            input=(1, self.input[0], self.input[2]),
            output=(1, self.output[0], self.output[2]),
            kernel_h=1,
            kernel_w=self.kernel_h,
            stride_h=1,
            stride_w=self.stride_h,
            pad_top=0,
            pad_left=self.pad_top,
        )

    @property
    def is_row(self) -> bool:
        """Whether the image, the kernel and the output are one pixel high."""
        return self.input[0] == self.output[0] == self.kernel_h == 1 and self.pad_top == 0

    def sweep_along(self, dtype: DType) -> Sweep:
        """How a kernel slides the window along an image of one row, run by run."""
        width, element = self.input[1], DTYPE_BYTES[dtype]
        runs = -(-self.output[1] // RUN)
        length = -(-self.output[1] // runs)
        ranges = []
        for start in range(0, self.output[1], length):
            last = min(start + length, self.output[1]) - 1
            first, stop = (x * self.stride_w - self.pad_left for x in (start, last))
            ranges.append((min(max(first, 0), width), min(max(stop + self.kernel_w, 0), width)))
        pixel, made = self.input[2] * element, length * self.output[2] * element
        return Sweep(tuple(ranges), pixel, made)

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


def rows_met(kernel: int, pad: int, stride: int, side: int, outputs: int) -> slice:
    """Rows of a kernel, from the first to the last, that meet one of ``side`` pixels at any output."""
    first = pad - (outputs - 1) * stride
    return slice(min(max(first, 0), kernel), min(max(side + pad, 0), kernel))


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
