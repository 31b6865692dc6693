"""What every operator tells the compiler, and the helpers that operators share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codegen.ir import Graph, ModelError, Op, Tensor
from codegen.ops.sweep import Sweep

ACTIVATIONS = ("NONE", "RELU", "RELU6")
# Ratios and products of scales within these bounds are numbers in single precision.
SMALLEST_SCALE, LARGEST_SCALE = 1e-12, 1e12
FLOAT_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array in flash; ``label`` ends its C++ name (``op03_weights``)."""

    label: str
    values: npt.NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Part:
    """A constant of its own, of C++ type ``params``, that a member points to; ``label`` ends its name.

    ``fields`` are its members' values, or of an array those of its elements.
    """

    label: str
    params: str
    fields: Mapping[str, Value] | tuple[Value, ...]


Value = int | float | Array | Part | None | tuple["Value", ...] | Mapping[str, "Value"]


@dataclass(frozen=True, eq=False)
class Call:
    """One kernel call: the C++ function, the type of its parameters and their values in order.

    ``fields`` names each member as the C++ struct does; a mapping is a nested struct, a tuple a
    small struct or array of numbers, None a null pointer. ``inputs`` are the tensors passed as
    pointers, before ``output``.
    """

    kernel: str
    header: str
    params: str
    fields: Mapping[str, Value]
    inputs: tuple[int, ...]
    output: int

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The constant arrays among the fields, in order."""
        return tuple(_arrays(self.fields))


def _arrays(value: Value) -> Iterator[Array]:
    if isinstance(value, Array):
        yield value
    elif isinstance(value, Part):
        yield from _arrays(value.fields)
    elif isinstance(value, Mapping | tuple):
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from _arrays(member)


class Operator(ABC):
    """How the compiler treats one kind of operator."""

    @abstractmethod
    def check(self, graph: Graph, op: Op) -> None:
        """Refuse what the kernel does not do.

        Raises:
            ModelError: names the tensor or option, what it is and what is allowed.
        """

    @abstractmethod
    def lower(self, graph: Graph, op: Op) -> Call | None:
        """The kernel call, or None where the operator only renames its input's bytes."""

    def in_place(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Inputs (positions) over which the kernel may write its output, element by element."""
        return ()

    def sweep(self, graph: Graph, op: Op, position: int) -> Sweep | None:
        """How the kernel goes through an input; None where it may read any byte until its end."""
        return None

    def scratch_bytes(self, graph: Graph, op: Op) -> int:
        """Bytes of working memory; the kernel gets their address as its last argument."""
        return 0

    def places(self, graph: Graph, op: Op) -> tuple[int, ...]:
        """Where in the output each input's bytes lie, in bytes, if the output is nothing but its inputs.

        Empty where a kernel writes the output.
        """
        return ()

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Bytes of the constant arrays that ``lower`` makes, from shapes alone."""
        return 0


def tensors(graph: Graph, op: Op) -> list[Tensor]:
    """The operator's present inputs."""
    return [graph.tensors[i] for i in op.inputs if i >= 0]


def output_of(graph: Graph, op: Op) -> Tensor:
    """The operator's one output."""
    return graph.tensors[op.outputs[0]]


def constant_values(tensor: Tensor) -> npt.NDArray[np.generic]:
    """The data of a constant.

    Raises:
        ModelError: for the constants of a graph that is only planned.
    """
    if tensor.data is None:
        raise ModelError(f"tensor {tensor.name!r}: its data is needed, the graph has shapes only")
    return tensor.data


def require(condition: bool, tensor: Tensor, message: str) -> None:
    """Raise ``ModelError`` about ``tensor`` unless ``condition`` holds."""
    if not condition:
        raise ModelError(f"tensor {tensor.name!r} {tensor.dtype} {tensor.shape}: {message}")


def require_inputs(op: Op, low: int, high: int) -> None:
    """Refuse an operator with too few or too many inputs, or not one output."""
    if not low <= len(op.inputs) <= high or len(op.outputs) != 1:
        raise ModelError(
            f"needs {low} to {high} inputs and 1 output; got {len(op.inputs)} and {len(op.outputs)}"
        )
    if any(i < 0 for i in op.inputs[:low]):
        raise ModelError(f"needs its first {low} inputs; one is absent")


def require_activations(graph: Graph, op: Op, positions: tuple[int, ...] = (0,)) -> None:
    """Inputs at ``positions`` and the output must share one dtype, int8 or float32."""
    output = output_of(graph, op)
    require(output.dtype in ("int8", "float32"), output, "activations must be int8 or float32")
    require(not output.constant, output, "the output of an operator cannot be a constant")
    for position in positions:
        tensor = graph.tensors[op.inputs[position]]
        require(tensor.dtype == output.dtype, tensor, f"must be {output.dtype} as the output is")
    for tensor in [output, *(graph.tensors[op.inputs[p]] for p in positions)]:
        if tensor.dtype == "int8" and tensor.quantization is not None:
            require_one_scale(tensor)


def require_one_scale(tensor: Tensor) -> None:
    """Codes need one positive scale of a sane size, and a zero point that is a code."""
    quantization = tensor.quantization
    if quantization is None or len(quantization.scales) != 1 or not quantization.scales[0] > 0:
        raise ModelError(f"tensor {tensor.name!r}: int8 activations need one positive scale")
    scale = quantization.scales[0]
    sane = SMALLEST_SCALE <= scale <= LARGEST_SCALE
    require(sane, tensor, f"scale must be {SMALLEST_SCALE} to {LARGEST_SCALE}; got {scale}")
    zero_point = quantization.zero_points[0]
    require(-128 <= zero_point <= 127, tensor, f"zero point must be a code; got {zero_point}")


def activation_of(op: Op) -> str:
    """The fused activation, one of ``ACTIVATIONS``."""
    activation = str(op.options.get("fused_activation", "NONE"))
    if activation not in ACTIVATIONS:
        raise ModelError(
            f"fused activation must be one of {', '.join(ACTIVATIONS)}; got {activation}"
        )
    return activation


def float_range(activation: str) -> tuple[float, float]:
    """The reals between which a fused activation clamps."""
    low = -FLOAT_MAX if activation == "NONE" else 0.0
    return low, 6.0 if activation == "RELU6" else FLOAT_MAX


def image_shape(tensor: Tensor) -> tuple[int, int, int]:
    """(height, width, channels) of a tensor with a batch of one."""
    require(
        len(tensor.shape) == 4 and tensor.shape[0] == 1,
        tensor,
        "must be (1, height, width, channels)",
    )
    height, width, channels = tensor.shape[1:]
    require(max(height, width, channels) < 1 << 15, tensor, "no side may exceed 32767")
    return height, width, channels
