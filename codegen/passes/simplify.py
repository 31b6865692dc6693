"""Rewrites of a graph that keep every output byte and save flash, memory or work, in order.

Graphs of shapes only pass through: without data nothing can be folded.
"""

from __future__ import annotations

from codegen.ir import Graph
from codegen.passes.absorb_padding import absorb_padding
from codegen.passes.compose import compose
from codegen.passes.draft import Draft
from codegen.passes.drop_identities import drop_identities
from codegen.passes.fuse_tables import fuse_tables
from codegen.passes.merge_reshapes import merge_reshapes
from codegen.passes.skip_reals import skip_reals
from codegen.passes.tabulate import tabulate
from codegen.passes.trim_kernels import trim_kernels

PASSES = (
    tabulate,
    skip_reals,
    compose,
    drop_identities,
    fuse_tables,
    merge_reshapes,
    absorb_padding,
    trim_kernels,
)


def simplify(graph: Graph) -> Graph:
    """The graph with every rewrite applied; tensors keep their indices, new ones are appended."""
    draft = Draft(list(graph.tensors), list(graph.ops), graph.outputs)
    for rewrite in PASSES:
        rewrite(draft)
    return Graph(tuple(draft.tensors), tuple(draft.ops), graph.inputs, graph.outputs)
