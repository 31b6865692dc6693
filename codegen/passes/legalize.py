"""From a file's operators to the compiler's: rewrites that come before anything is checked.

They keep every output byte, and what they do not understand they leave as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from codegen.ir import Graph
from codegen.passes.dilate import dilate
from codegen.passes.draft import Draft
from codegen.passes.fold_constants import fold_constants
from codegen.passes.pad_images import pad_images
from codegen.passes.reorder_operands import reorder_operands
from codegen.passes.reshape_only import reshape_only
from codegen.passes.settle_shapes import settle_shapes
from codegen.passes.shift_bytes import shift_bytes
from codegen.passes.slice_apart import slice_apart
from codegen.passes.stack import stack

REWRITTEN: Mapping[str, str] = MappingProxyType(
    {
        "BATCH_TO_SPACE_ND": "a part of a dilated convolution",
        "CAST": "DEQUANTIZE, of bytes to reals",
        "EXPAND_DIMS": "RESHAPE",
        "PACK": "CONCATENATION",
        "SHAPE": "a constant, and so is the arithmetic with it",
        "SPACE_TO_BATCH_ND": "a part of a dilated convolution",
        "SPLIT": "SLICE",
        "SPLIT_V": "SLICE",
        "SQUEEZE": "RESHAPE",
        "UNPACK": "SLICE",
    }
)
"""Operators that are others in disguise, and what becomes of them."""

PASSES = (
    fold_constants,
    settle_shapes,
    shift_bytes,
    dilate,
    pad_images,
    stack,
    slice_apart,
    reshape_only,
    reorder_operands,
)


def legalize(graph: Graph) -> Graph:
    """The graph with every rewrite applied; tensors keep their indices, new ones are appended."""
    draft = Draft(list(graph.tensors), list(graph.ops), graph.outputs)
    for rewrite in PASSES:
        rewrite(draft)
    return Graph(tuple(draft.tensors), tuple(draft.ops), graph.inputs, graph.outputs)
