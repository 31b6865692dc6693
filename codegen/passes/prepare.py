"""From a graph as it was read to one as it runs, with its place in the arena."""

from __future__ import annotations

from codegen import ops
from codegen.ir import Graph, ModelError
from codegen.passes.simplify import simplify
from codegen.plan import Plan, arrange, verify


def prepare(graph: Graph, ram_first: float = 0.0) -> tuple[Graph, Plan]:
    """Simplify and arrange ``graph``; what comes of it is checked, and so is the plan.

    ``ram_first`` is a ``Board``'s.

    Raises:
        ModelError: the compiler cannot take the graph.
        PlanError: the plan would compute garbage, which is a defect of the planner.
    """
    graph = simplify(graph)
    _check_input(graph)
    graph, plan = arrange(graph, ram_first=ram_first)
    ops.check(graph)
    verify(graph, plan)
    return graph, plan


def _check_input(graph: Graph) -> None:
    """Refuse an input outside of the arena whose bytes are another tensor's too."""
    for op in graph.ops:
        reads = any(graph.tensors[i].outside for i in op.inputs if i >= 0)
        if reads and ops.OPERATORS[op.kind].places(graph, op):
            raise ModelError(
                f"input: {op.kind} gives its bytes another shape, which only inputs in the arena can have: "
                "leave --input-outside out"
            )
