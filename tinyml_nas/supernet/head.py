"""A head for features that came without one: ridge regression on the labels, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.training.loop import inputs_of
from tinyml_nas.types import Images

PENALTIES = (0.01, 0.1, 1.0, 10.0)
"""In units of the features' mean variance."""

SCALES = tuple(float(2**power) for power in range(8))


@dataclass(frozen=True)
class Fit:
    """How a fitted head does on ``images`` images, each left out of the fit in turn.

    ``loss`` is their mean cross-entropy, ``correct`` counts those that are told right.
    """

    loss: float
    correct: int
    images: int


@torch.no_grad()
def fit_head(network: StaticNetwork, images: Images) -> Fit:
    """Replace the head Φ_c by the one that predicts the labels of ``images`` best, in evaluation mode.

    The penalty is the one with the least squared error when each image is left out in turn; then the
    logits are scaled so that their softmax, left out too, has the least cross-entropy.
    """
    network.eval()
    features = torch.cat([network.features(x) for x in inputs_of(images, network.resolution)])
    labels = torch.from_numpy(images.labels.astype("int64"))
    targets = F.one_hot(labels, network.classifier.out_features).double()
    weights, centre, left_out = ridge(features.double(), targets)
    losses = [float(F.cross_entropy(scale * left_out, labels)) for scale in SCALES]
    scale = SCALES[losses.index(min(losses))]
    network.classifier.weight.copy_(scale * weights.T)
    network.classifier.bias.copy_(scale * (targets.mean(0) - centre @ weights))
    correct = int((left_out.argmax(1) == labels).sum())
    return Fit(min(losses), correct, len(labels))


def ridge(features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weights (F, K), the features' mean (F,) and predictions (N, K) with each row left out.

    With H the hat matrix, the residual of a row that is left out is its residual over 1 - H_ii.
    """
    centre, level = features.mean(0), targets.mean(0)
    x, y = features - centre, targets - level
    variances, axes = torch.linalg.eigh(x.T @ x)
    rotated = x @ axes
    fits = []
    for penalty in PENALTIES:
        shrunk = variances.clamp(min=0) + penalty * variances.mean()
        solved = rotated.T @ y / shrunk[:, None]
        leverage = (rotated.square() / shrunk).sum(1, keepdim=True) + 1 / len(x)
        residual = (y - rotated @ solved) / (1 - leverage)
        fits.append((float(residual.square().mean()), solved, targets - residual))
    _, solved, left_out = min(fits, key=lambda fit: fit[0])
    return axes @ solved, centre, left_out
