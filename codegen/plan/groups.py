"""Which tensors are the same bytes, or a part of another's: what RESHAPE renames, and what JOIN joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from codegen.ir import Graph
from codegen.ops import OPERATORS


@dataclass
class Group:
    """``size_bytes`` that hold the tensors at these offsets; whether there are parts in it."""

    size_bytes: int
    offsets: dict[int, int] = field(default_factory=dict)
    joined: bool = False

    def is_whole(self, graph: Graph, index: int) -> bool:
        """Whether the tensor is all of the group."""
        return graph.tensors[index].size_bytes == self.size_bytes


Groups = Mapping[int, Group]
"""Of every activation, by its index."""


def groups_of(graph: Graph) -> Groups:
    """What each activation shares its bytes with, itself included."""
    groups: dict[int, Group] = {}
    for index in graph.given:
        groups[index] = Group(graph.tensors[index].size_bytes, {index: 0})
    for op in graph.ops:
        (output,) = op.outputs
        group = Group(graph.tensors[output].size_bytes, {output: 0})
        for source, place in zip(op.inputs, OPERATORS[op.kind].places(graph, op), strict=False):
            other = groups[source]
            if other.offsets[source] != 0 or not other.is_whole(graph, source):
                # A renamed part stays one: the output goes where it lies.
                start = other.offsets[source]
                other.offsets[output] = start
                group = other
                break
            group.offsets |= {index: place + at for index, at in other.offsets.items()}
            group.joined |= other.joined or len(op.inputs) > 1
        for index in group.offsets:
            groups[index] = group
    return groups
