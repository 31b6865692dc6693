"""What a model is known by: a digest of what it computes, whichever board and plan it is given."""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from codegen.project import Project


def model_digest(project: Project) -> tuple[int, int]:
    """The first two little-endian words of the SHA-256 of all that a saved state belongs to.

    That is the extractor's graph, the first head, and the layout of the learner's state. Names in the
    file, the board, the learner's settings and the compiler's version play no part.
    """
    graph = project.graph
    digest = hashlib.sha256()
    for tensor in graph.tensors:
        quantization = tensor.quantization
        described = quantization and (
            quantization.scales,
            quantization.zero_points,
            quantization.axis,
        )
        digest.update(f"{tensor.shape} {tensor.dtype} {described}\n".encode())
        if tensor.data is not None:
            digest.update(np.ascontiguousarray(tensor.data).tobytes())
    for op in graph.ops:
        options = sorted(op.options.items())
        digest.update(f"{op.kind} {op.inputs} {op.outputs} {options}\n".encode())
    digest.update(f"{graph.inputs} {graph.outputs} {project.head.weights.shape}\n".encode())
    digest.update(project.head.weights.tobytes() + project.head.bias.tobytes())
    digest.update(project.learner.layout(project.shape).encode())
    low, high = struct.unpack("<2I", digest.digest()[:8])
    return low, high
