"""Give a trained network's head more to read, without changing what the network says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tinyml_nas.network.module import StaticNetwork, spec_of

BATCH = 100


def tapped(
    network: StaticNetwork,
    taps: tuple[int, ...],
    folded: int,
    images: npt.NDArray[np.float32],
) -> StaticNetwork:
    """``network`` with ``taps`` (see ``NetworkSpec``); its logits are what they were, but for rounding.

    The old head becomes a layer of the extractor, and the new one passes on what that says. In one int8 tensor
    all features share a scale, so that logits are made as loud there as the folded channels are on
    ``images``, normalised (N, S, S, 3).
    """
    spec = spec_of(network)
    made = StaticNetwork(replace(spec, taps=taps, folded=folded)).eval()
    old = {k: v for k, v in network.state_dict().items() if not k.startswith("classifier.")}
    made.load_state_dict(old, strict=False)
    head = network.classifier
    said, join = made.said, made.classifier
    assert said is not None
    with torch.no_grad():
        said.weight.copy_(head.weight[:, :, None, None])
        inputs = torch.from_numpy(images).permute(0, 3, 1, 2)
        batches = range(0, len(images), BATCH)
        features = torch.cat([made.features(inputs[at : at + BATCH]) for at in batches])
        loud, quiet = _loudness(features[:, :folded]), _loudness(features[:, folded:])
        scale = loud / quiet if min(loud, quiet) > 0 else 1.0
        said.weight *= scale
        join.weight.copy_(torch.eye(spec.classes, spec.classes + folded).roll(folded, dims=1))
        join.weight /= scale
        join.bias.copy_(head.bias)
    return made


def _loudness(features: Tensor) -> float:
    """Root of the mean variance of features (N, F)."""
    return float(features.var(dim=0, correction=0).mean().sqrt())
