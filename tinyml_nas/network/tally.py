"""What any network costs, by its graph: parameters, multiply-adds, and bytes as the thesis counts them."""

from __future__ import annotations

import math

from codegen.ir import Graph
from tinyml_nas.network.equations import omega_parts, parameters


def macs(graph: Graph) -> int:
    """Multiply-adds of its layers with weights."""
    total = 0
    for op in graph.ops:
        if op.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        weights, output = graph.tensors[op.inputs[1]], graph.tensors[op.outputs[0]]
        # Weights are (O, h, w, I), of a depthwise convolution (1, h, w, O), of a dense layer (O, I).
        met = weights.shape[1:3] if op.kind == "DEPTHWISE_CONV_2D" else weights.shape[1:]
        total += output.elements * math.prod(met)
    return total


def tally(extractor: Graph, classes: int) -> dict[str, int]:
    """``parameters``, ``macs`` and ``size_bytes`` of Φ: of its extractor, and of a head of ``classes``."""
    features = extractor.output.elements
    return {
        "parameters": parameters(extractor) + (features + 1) * classes,
        "macs": macs(extractor) + features * classes,
        "size_bytes": sum(omega_parts(extractor, classes).values()),
    }
