"""Ω as the thesis counts it (Lacava 2023, equations 3-5; TyBox): everything in one memory.

With w = 1 byte for an int8 Φ_f and w = 4 for a float one::

    M_Φf = Σ_k params_k · w + max_k (act_k + act_(k+1)) · w       (equation 3)
    M_Φc = Σ_k (params_k + act_k) · 4                             (equation 4)
    a sample of the buffer: (features + 1) · w                    (equation 5)

act_0 is the image and act_k what the k-th operator puts out; a bias counts as one element of w bytes.
"""

from __future__ import annotations

from itertools import pairwise

from codegen.ir import Graph

# Operators with trained weights, inputs 1 and 2. Other constants (shapes, axes, lookup tables) are
# no parameters.
_WITH_PARAMETERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_HEAD_ELEMENT_BYTES = 4


def omega_parts(graph: Graph, classes: int) -> dict[str, int]:
    """M_Φf and M_Φc by their terms, in bytes, for the extractor ``graph`` and a head."""
    width = element_bytes(graph)
    features = graph.output.elements
    return {
        "extractor_weights": parameters(graph) * width,
        "extractor_activations": activation_pair(graph) * width,
        "head_weights": (features + 1) * classes * _HEAD_ELEMENT_BYTES,
        "head_activations": classes * _HEAD_ELEMENT_BYTES,
    }


def sample_bytes(graph: Graph) -> int:
    """A sample of TyBox's buffer: its features and its label."""
    return (graph.output.elements + 1) * element_bytes(graph)


def element_bytes(graph: Graph) -> int:
    """w: bytes of an element of Φ_f."""
    return 1 if graph.output.dtype == "int8" else 4


def parameters(graph: Graph) -> int:
    """Σ_k params_k: elements of all weights and biases; a tensor that is shared counts once."""
    constants = {
        index
        for op in graph.ops
        if op.kind in _WITH_PARAMETERS
        for index in op.inputs[1:3]
        if index >= 0 and graph.tensors[index].constant
    }
    return sum(graph.tensors[index].elements for index in constants)


def activation_pair(graph: Graph) -> int:
    """max_k (act_k + act_(k+1)): the most elements of two neighbours in execution order."""
    outputs = [sum(graph.tensors[index].elements for index in op.outputs) for op in graph.ops]
    return max(a + b for a, b in pairwise([graph.input.elements, *outputs]))
