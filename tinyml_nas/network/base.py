"""What a stage needs of a torch network: seam between the pipeline and whatever computes logits."""

from __future__ import annotations

from torch import nn


class Network(nn.Module):
    """Images (N, 3, S, S), float32 as ``codegen.pixels`` normalises them, to logits (N, classes).

    It is trained, scored and converted by this alone. ``StaticNetwork`` is what a search finds, ``UserNetwork`` what
    people bring.
    """

    resolution: int
    """S: the input side in pixels."""
