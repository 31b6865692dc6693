"""The part of a tensor that SLICE and STRIDED_SLICE name: where it starts, and how far apart its elements are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.ir import Graph, ModelError, Op
from codegen.ops.base import constant_values, require

MOST_AXES = 8


@dataclass(frozen=True)
class Region:
    """By axis of the source: first index, number of indices, and the step between them.

    ``shape`` is the result's: without the axes of which one index is picked, with new ones of size 1.
    """

    starts: tuple[int, ...]
    counts: tuple[int, ...]
    steps: tuple[int, ...]
    shape: tuple[int, ...]


def region_of(graph: Graph, op: Op) -> Region:
    """The region that the operator's constant operands and its masks name.

    Raises:
        ModelError: they name none.
    """
    source = graph.tensors[op.inputs[0]]
    operands = []
    for index in op.inputs[1:]:
        tensor = graph.tensors[index]
        require(tensor.constant and tensor.dtype in ("int32", "int64"), tensor, "must be constant")
        require(len(tensor.shape) == 1 and tensor.elements <= MOST_AXES, tensor, "must be a vector")
        operands.append([int(value) for value in constant_values(tensor).tolist()])
    if len({len(values) for values in operands}) != 1:
        raise ModelError("begin, end and strides must be of one length")
    if op.kind == "SLICE":
        return _slice(source.shape, operands)
    return _strided(source.shape, operands, op)


def _slice(shape: tuple[int, ...], operands: Sequence[Sequence[int]]) -> Region:
    begins, sizes = operands
    if len(begins) != len(shape):
        raise ModelError(f"begin and size must have {len(shape)} elements; they have {len(begins)}")
    counts = []
    for side, begin, size in zip(shape, begins, sizes, strict=True):
        count = side - begin if size == -1 else size
        if not (begin >= 0 and count >= 1 and begin + count <= side):
            raise ModelError(f"{size} from {begin} on leaves an axis of {side}")
        counts.append(count)
    return Region(tuple(begins), tuple(counts), (1,) * len(shape), tuple(counts))


def _strided(shape: tuple[int, ...], operands: Sequence[Sequence[int]], op: Op) -> Region:
    """NumPy's slicing: one entry for an axis, an ellipsis, or a new axis."""
    begins, ends, strides = operands
    masks = {
        name: int(op.options.get(f"{name}_mask", 0))
        for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }

    def set_in(name: str, entry: int) -> bool:
        return bool(masks[name] >> entry & 1)

    entries = range(len(begins))
    named = sum(not (set_in("new_axis", i) or set_in("ellipsis", i)) for i in entries)
    axes: list[tuple[int, int, int]] = []
    result: list[int] = []
    for entry in entries:
        if set_in("ellipsis", entry):
            passed = shape[len(axes) : len(axes) + max(len(shape) - named, 0)]
            axes += [(0, side, 1) for side in passed]
            result += passed
        elif set_in("new_axis", entry):
            result.append(1)
        elif len(axes) < len(shape):
            side = shape[len(axes)]
            bounds = (
                None if set_in("begin", entry) else begins[entry],
                None if set_in("end", entry) else ends[entry],
            )
            if op.options.get("offset") and None not in bounds:
                bounds = (begins[entry], begins[entry] + ends[entry])
            if set_in("shrink_axis", entry):
                axes.append(_one(begins[entry], side))
            else:
                axes.append(_several(bounds, strides[entry], side))
                result.append(axes[-1][1])
        else:
            raise ModelError(f"names more axes than the {len(shape)} there are")
    for side in shape[len(axes) :]:
        axes.append((0, side, 1))
        result.append(side)
    starts, counts, steps = (
        (tuple(values) for values in zip(*axes, strict=True)) if axes else ((),) * 3
    )
    return Region(starts, counts, steps, tuple(result))


def _one(begin: int, side: int) -> tuple[int, int, int]:
    if not -side <= begin < side:
        raise ModelError(f"index {begin} leaves an axis of {side}")
    return begin % side, 1, 1


def _several(bounds: tuple[int | None, int | None], stride: int, side: int) -> tuple[int, int, int]:
    if not 0 < abs(stride) < 1 << 31:
        raise ModelError(f"strides must not be 0; got {stride}")
    indices = range(side)[slice(*bounds, stride)]
    if not indices:
        raise ModelError(f"{bounds} in steps of {stride} holds nothing of an axis of {side}")
    return indices.start, len(indices), stride if len(indices) > 1 else 1
