"""What TRANSPOSE, SLICE and STRIDED_SLICE share: elements that are copied from where they are, in the output's order."""

from __future__ import annotations

from codegen.ir import Graph, ModelError, Op
from codegen.ops.base import Call, Value, output_of

LOOPS = 4  # nested loops of the kernel


def strides_of(shape: tuple[int, ...]) -> list[int]:
    """How many elements apart neighbours of each axis are."""
    steps, step = [], 1
    for side in reversed(shape):
        steps.append(step)
        step *= side
    return steps[::-1]


def merged(sizes: tuple[int, ...], steps: tuple[int, ...]) -> list[tuple[int, int]]:
    """(size, step) of nested loops, outermost first; axes that one loop can do are one.

    Raises:
        ModelError: the kernel has fewer loops.
    """
    loops: list[tuple[int, int]] = []
    for size, step in zip(sizes, steps, strict=True):
        if size == 1:
            continue
        if loops and loops[-1][1] == size * step:
            loops[-1] = (loops[-1][0] * size, step)
        else:
            loops.append((size, step))
    if len(loops) > LOOPS:
        raise ModelError(f"needs {len(loops)} nested loops; the kernel has {LOOPS}")
    return loops


def copy_call(
    graph: Graph, op: Op, start: int, sizes: tuple[int, ...], steps: tuple[int, ...]
) -> Call:
    """Call ``strided_copy``: from element ``start`` of the source on."""
    loops = merged(sizes, steps)
    loops = [(1, 0)] * (LOOPS - len(loops)) + loops
    fields: dict[str, Value] = {
        "size": tuple(size for size, _ in loops),
        "step": tuple(step for _, step in loops),
        "start": start,
    }
    output = output_of(graph, op)
    assert output.dtype in ("int8", "float32")
    return Call(
        "strided_copy", "strided_copy.hpp", "StridedCopy", fields, op.inputs[:1], op.outputs[0]
    )
