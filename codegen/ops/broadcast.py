"""Element-wise operators of two operands that repeat along axes of size one, as in NumPy."""

from __future__ import annotations

from codegen.ir import Graph, ModelError, Op, Tensor
from codegen.ops.base import (
    Value,
    activation_of,
    output_of,
    require,
    require_activations,
    require_inputs,
)

TABLE_BYTES = 256
LOOPS = 3  # nested loops of the kernel: enough for images with a batch of one


def check_broadcast(graph: Graph, op: Op) -> None:
    """Refuse operands that do not broadcast to the output within the kernel's loops."""
    require_inputs(op, 2, 2)
    require_activations(graph, op, (0, 1))
    activation_of(op)
    output = output_of(graph, op)
    for index in op.inputs:
        tensor = graph.tensors[index]
        if tensor.dtype == "int8":
            require(tensor.quantization is not None, tensor, "int8 activations need a scale")
        padded = _padded(tensor, len(output.shape))
        require(
            all(side in (1, out) for side, out in zip(padded, output.shape, strict=True)),
            tensor,
            f"does not broadcast to {output.shape}",
        )
    for axis, side in enumerate(output.shape):
        sides = [_padded(graph.tensors[i], len(output.shape))[axis] for i in op.inputs]
        require(max(sides) == side, output, "is larger than both operands")
    if len(_axes(graph, op)) > LOOPS:
        raise ModelError(f"broadcasting needs more than {LOOPS} nested loops")


def broadcast_value(graph: Graph, op: Op) -> Value:
    """The C++ initialiser of ``Broadcast``: sizes of the loops, steps of both operands in each."""
    axes = _axes(graph, op)
    axes = [(1, False, False)] * (LOOPS - len(axes)) + axes
    steps = []
    for operand in (1, 2):
        step, operand_steps = 1, []
        for axis in reversed(axes):
            operand_steps.append(step if axis[operand] else 0)
            step *= axis[0] if axis[operand] else 1
        steps.append(tuple(reversed(operand_steps)))
    return {"size": tuple(axis[0] for axis in axes), "step_a": steps[0], "step_b": steps[1]}


def side_by_side(graph: Graph, op: Op) -> bool:
    """Whether both operands move in the innermost loop, as the fast kernels need it."""
    axes = _axes(graph, op)
    return bool(axes) and axes[-1][1:] == (True, True)


def full_operands(graph: Graph, op: Op) -> tuple[int, ...]:
    """Positions of operands as large as the output: they may be overwritten in place."""
    output = output_of(graph, op)
    return tuple(p for p, i in enumerate(op.inputs) if graph.tensors[i].elements == output.elements)


def scalar_constant(graph: Graph, op: Op) -> bool:
    """Whether one operand is a constant scalar: in int8 the operator then becomes a table."""
    return any(graph.tensors[i].constant and graph.tensors[i].elements == 1 for i in op.inputs)


def constant_bytes(graph: Graph, op: Op) -> int:
    """Bytes of constant operands, or of the table."""
    if scalar_constant(graph, op) and output_of(graph, op).dtype == "int8":
        return TABLE_BYTES
    return sum(graph.tensors[i].size_bytes for i in op.inputs if graph.tensors[i].constant)


def _axes(graph: Graph, op: Op) -> list[tuple[int, bool, bool]]:
    """(size, first operand moves, second operand moves), neighbours of one kind merged."""
    output = output_of(graph, op)
    first, second = (_padded(graph.tensors[i], len(output.shape)) for i in op.inputs)
    axes: list[tuple[int, bool, bool]] = []
    for size, a, b in zip(output.shape, first, second, strict=True):
        if size == 1:
            continue
        if axes and axes[-1][1:] == (a > 1, b > 1):
            axes[-1] = (axes[-1][0] * size, a > 1, b > 1)
        else:
            axes.append((size, a > 1, b > 1))
    return axes


def _padded(tensor: Tensor, rank: int) -> tuple[int, ...]:
    require(len(tensor.shape) <= rank, tensor, f"has more than {rank} axes")
    return (1,) * (rank - len(tensor.shape)) + tensor.shape
