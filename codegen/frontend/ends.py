"""Where a network ends: at its only output, or at the tensor that the user names."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from codegen.ir import Graph, ModelError, Op

SHOWN = 8  # names in a message


def ending_at(graph: Graph, name: str = "") -> Graph:
    """The operators that a tensor is made from; without a ``name``, the graph's only output.

    ``name`` is a tensor's, or its number in the file.

    Raises:
        ModelError: there is no such activation, or there are several; or the graph has several
            outputs and none is named. Their names are in the message.
    """
    if name:
        end = _found(graph, name)
    elif len(graph.outputs) == 1:
        (end,) = graph.outputs
    else:
        raise ModelError(
            f"needs one output; it has {len(graph.outputs)}: {_listed(graph, graph.outputs)}. "
            "--output NAME keeps one of them"
        )
    return replace(graph, ops=needed_for(graph, end), outputs=(end,))


def needed_for(graph: Graph, end: int) -> tuple[Op, ...]:
    """The operators that tensor ``end`` is made from, in their order."""
    needed, ops = {end}, list[Op]()
    for op in reversed(graph.ops):
        if needed & set(op.outputs):
            ops.insert(0, op)
            needed |= {i for i in op.inputs if i >= 0}
    return tuple(ops)


def _found(graph: Graph, name: str) -> int:
    activations = [i for op in graph.ops for i in op.outputs]
    found = [i for i in dict.fromkeys(activations) if graph.tensors[i].name == name]
    if not found and name.isdecimal() and int(name) in activations:
        found = [int(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ModelError(
            f"{len(found)} tensors are called {name!r}; give the number of one: "
            f"{_listed(graph, found)}"
        )
    names = [graph.tensors[i].name for i in activations]
    close = set(get_close_matches(name, names, SHOWN, 0.0))
    shown = [i for i in dict.fromkeys(activations) if graph.tensors[i].name in close]
    raise ModelError(
        f"no operator writes a tensor called {name!r}; there are {len(names)}, among them "
        f"{_listed(graph, shown)}"
    )


def _listed(graph: Graph, indices: tuple[int, ...] | list[int]) -> str:
    """Names, with numbers and shapes."""
    shown = [
        f"{graph.tensors[i].name!r} (number {i}, {graph.tensors[i].shape})" for i in indices[:SHOWN]
    ]
    return ", ".join(shown) or "none"
