"""POOLED: the compiler's own operator, a CONV_2D and the MEAN of its image, some channels at a time.

The last convolution of a MobileNet makes 1,280 channels of a small image, of which only the means are
read. Inputs are the image, weights, bias and table of the convolution (-1 where absent) and the mean's axes;
options those of both under ``convolution.`` and ``mean.``, and ``between``, the tensor between them.
"""

from __future__ import annotations

from types import MappingProxyType

from codegen.ir import DTYPE_BYTES, Graph, ModelError, Op
from codegen.ops import conv_2d, mean
from codegen.ops.base import Call, Operator, image_shape, output_of
from codegen.ops.dilated import is_dilated

KIND = "POOLED"
KINDS = ("CONV_2D", "MEAN")
ARGUMENTS = 4  # image, weights, bias and table
MOST_BYTES = 2048  # of the convolution's output that exist at a time
STEP = 4
"""Channels are made in multiples of this, and never fewer: the fast kernels want it so."""


def pooled(convolution: Op, reduction: Op) -> Op:
    """One operator of two that follow each other."""
    inputs = [*convolution.inputs, *[-1] * (ARGUMENTS - len(convolution.inputs))]
    options: dict[str, int | float | str | bool] = {"between": convolution.outputs[0]}
    for name, op in (("convolution", convolution), ("mean", reduction)):
        options |= {f"{name}.{key}": value for key, value in op.options.items()}
    return Op(KIND, (*inputs, reduction.inputs[1]), reduction.outputs, MappingProxyType(options))


def stages_of(op: Op) -> tuple[Op, Op]:
    """The two operators that ``op`` was made from."""
    options = {
        name: MappingProxyType(
            {
                key.removeprefix(f"{name}."): value
                for key, value in op.options.items()
                if key.startswith(f"{name}.")
            }
        )
        for name in ("convolution", "mean")
    }
    *arguments, axes = op.inputs
    while arguments[-1] < 0:
        arguments.pop()
    between = int(op.options["between"])
    return (
        Op(KINDS[0], tuple(arguments), (between,), options["convolution"]),
        Op(KINDS[1], (between, axes), op.outputs, options["mean"]),
    )


def channels_of(graph: Graph, between: int) -> int:
    """How many channels of the tensor are made together; 0 where it cannot be in parts."""
    tensor = graph.tensors[between]
    height, width, channels = image_shape(tensor)
    most = MOST_BYTES // (height * width * DTYPE_BYTES[tensor.dtype])
    counts = range(min(most, channels - 1) // STEP * STEP, 0, -STEP)
    return next((n for n in counts if channels % n == 0 or channels % n >= STEP), 0)


def can_be_pooled(graph: Graph, convolution: Op, reduction: Op) -> bool:
    """Whether both can be one; that nothing else reads what is between them is for the caller to see."""
    if (convolution.kind, reduction.kind) != KINDS or is_dilated(convolution):
        return False
    between, output = graph.tensors[convolution.outputs[0]], output_of(graph, reduction)
    return (
        reduction.inputs[0] == convolution.outputs[0]
        and output.elements == between.shape[-1]
        and channels_of(graph, convolution.outputs[0]) > 0
    )


class Pooled(Operator):
    """Two kernels, called by channels; nothing is computed twice."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse what the two refuse."""
        convolution, reduction = stages_of(op)
        conv_2d.OPERATOR.check(graph, convolution)
        mean.OPERATOR.check(graph, reduction)
        if not can_be_pooled(graph, convolution, reduction):
            raise ModelError("a convolution and the mean over all of its image are needed")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``pooled``, which calls both kernels."""
        convolution, reduction = stages_of(op)
        calls = conv_2d.OPERATOR.lower(graph, convolution), mean.OPERATOR.lower(graph, reduction)
        general = any(call.kernel.endswith("_any") for call in calls)
        return Call(
            "pooled_any" if general else "pooled",
            "pooled.hpp",
            "PooledFloat" if output_of(graph, op).dtype == "float32" else "PooledInt8",
            {
                "convolution": calls[0].fields,
                "mean": calls[1].fields,
                "channels": channels_of(graph, convolution.outputs[0]),
            },
            op.inputs[:1],
            op.outputs[0],
        )

    def scratch_bytes(self, graph: Graph, op: Op) -> int:
        """The channels that are made together."""
        between = int(op.options["between"])
        tensor = graph.tensors[between]
        return tensor.size_bytes // tensor.shape[-1] * channels_of(graph, between)

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Those of the convolution."""
        return conv_2d.OPERATOR.constant_bytes(graph, stages_of(op)[0])


OPERATOR = Pooled()
