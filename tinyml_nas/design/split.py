"""Φ → Φ_f and Φ_c: the two files that quantization left, read back and checked against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from codegen.frontend.read import read
from codegen.ir import Graph
from codegen.project import HeadWeights
from tinyml_nas.types import Extractor

EXTRACTOR_FILE, HEAD_FILE = "extractor.tflite", "head.safetensors"


class SplitError(Exception):
    """The extractor's files do not fit together; the message names the file."""


def split(extractor: Extractor) -> tuple[Graph, HeadWeights]:
    """Read Φ_f, which ends at the Flatten, and Φ_c, the Dense behind it.

    Raises:
        SplitError: a file is damaged, or does not agree with the other or with ``extractor``.
    """
    graph = _extractor(extractor)
    head = read_head(extractor.artifact.path / HEAD_FILE)
    if head.features != extractor.features:
        raise SplitError(
            f"{extractor.artifact.path / HEAD_FILE}: the head takes {head.features} "
            f"features, the extractor gives {extractor.features}"
        )
    return graph, head


def _extractor(extractor: Extractor) -> Graph:
    path = extractor.artifact.path / EXTRACTOR_FILE
    graph = read(path)
    output = graph.output
    if output.elements != extractor.features or output.shape[-1] != extractor.features:
        raise SplitError(
            f"{path}: must put out {extractor.features} features; its output is {output.shape}"
        )
    if output.dtype != extractor.dtype or graph.input.dtype != extractor.dtype:
        raise SplitError(
            f"{path}: input and output must be {extractor.dtype}; they are "
            f"{graph.input.dtype} and {output.dtype}"
        )
    if extractor.dtype == "int8":
        found = output.quantization
        # float32 in the file: compare what the file can hold.
        scale = float(np.float32(extractor.scale))
        if (
            found is None
            or found.scales != (scale,)
            or found.zero_points != (extractor.zero_point,)
        ):
            raise SplitError(
                f"{path}: features must have scale {extractor.scale} and zero point "
                f"{extractor.zero_point}; the file says {found}"
            )
    return graph


def read_head(path: Path) -> HeadWeights:
    """Read Φ_c.

    Raises:
        SplitError: the file is damaged.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise SplitError(f"{path}: cannot be read: {error}") from error
    if sorted(tensors) != ["bias", "weights"]:
        raise SplitError(f"{path}: must hold bias and weights; it holds {sorted(tensors)}")
    if any(tensor.dtype != np.float32 for tensor in tensors.values()):
        raise SplitError(f"{path}: bias and weights must be float32")
    try:
        return HeadWeights(weights=tensors["weights"], bias=tensors["bias"])
    except ValueError as error:
        raise SplitError(f"{path}: {error}") from error
