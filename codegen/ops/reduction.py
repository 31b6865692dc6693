"""What MEAN and REDUCE_MAX share: axes that lie side by side, before those that are kept."""

from __future__ import annotations

from codegen.ir import Graph, Op
from codegen.ops.base import output_of, require, require_activations, require_inputs

MOST_AXES = 4


def check_reduction(graph: Graph, op: Op) -> None:
    """Refuse other axes, and an output that does not follow from them."""
    require_inputs(op, 2, 2)
    require_activations(graph, op)
    source, axes = (graph.tensors[i] for i in op.inputs)
    require(0 < len(source.shape) <= MOST_AXES, source, f"must have 1 to {MOST_AXES} axes")
    require(source.shape[0] == 1, source, "must have a batch of one")
    require(axes.constant and axes.dtype == "int32", axes, "axes must be constant int32")
    require(1 <= axes.elements <= MOST_AXES, axes, f"must name 1 to {MOST_AXES} axes")
    output = output_of(graph, op)
    area = source.elements // output.elements
    if axes.data is not None:
        given = axes.data.reshape(-1).tolist()
        rank = len(source.shape)
        require(all(-rank <= axis < rank for axis in given), axes, f"no such axes: {given}")
        reduced = {axis % rank for axis in given}
        kept = [i for i, side in enumerate(source.shape) if side > 1 and i not in reduced]
        first = kept[0] if kept else rank
        require(
            all(axis < first or source.shape[axis] == 1 for axis in reduced),
            axes,
            f"must name the axes before those that are kept, as [1, 2] of an image; got {given}",
        )
        sides = [1 if i in reduced else side for i, side in enumerate(source.shape)]
        shapes = tuple(sides), tuple(s for i, s in enumerate(sides) if i not in reduced)
        require(output.shape in shapes, output, f"must be {shapes[0]} or {shapes[1]}")
    require(source.elements == area * output.elements, output, "does not follow")
