"""Whether a converted network computes what the torch network computes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tinyml_nas.conversion.backend import keras

MAX_ABS_ERROR = 1e-4
"""Largest difference between a logit of torch and of Keras that a conversion may show, of logits up to 1; of larger
ones it is a share of the largest: float32 has so many digits."""

_BATCH = 200


class ConversionError(RuntimeError):
    """The network cannot be converted, or the converted network does not compute the same."""


def check_equivalence(
    network: nn.Module, model: keras.Model, images: npt.NDArray[np.float32]
) -> float:
    """Largest difference of a logit; raises where the two networks do not agree."""
    if len(images) == 0:
        raise ValueError("convert: images is empty; the check needs at least one image")
    network.eval()
    ours, theirs = [], []
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        given = torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous()  # some view their maps
        with torch.no_grad():
            ours.append(network(given).numpy())
        theirs.append(keras.ops.convert_to_numpy(model(batch, training=False)))
    return compare_logits(np.concatenate(ours), np.concatenate(theirs))


def compare_logits(ours: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]) -> float:
    """Largest absolute difference between torch's and Keras's logits, both (N, classes).

    Raises:
        ConversionError: it exceeds what ``MAX_ABS_ERROR`` allows, or the top-1 class of an image differs, be it
            by a margin that is smaller than the error.
    """
    errors = np.abs(ours - theirs).max(axis=1)
    worst = int(np.argmax(np.where(np.isnan(errors), np.inf, errors)))
    allowed = MAX_ABS_ERROR * max(1.0, float(np.abs(ours).max()))
    if not errors[worst] <= allowed:
        raise ConversionError(
            f"converted network differs from torch's: on image {worst} of {len(ours)} a logit is "
            f"{errors[worst]:.3g} apart, at most {allowed:g} is allowed"
        )
    flipped = np.flatnonzero(ours.argmax(axis=1) != theirs.argmax(axis=1))
    if len(flipped):
        image = int(flipped[0])
        runner_up, best = np.sort(ours[image])[-2:]
        raise ConversionError(
            f"converted network's top-1 class differs on {len(flipped)} of {len(ours)} images; "
            f"the first is image {image}: torch says {ours[image].argmax()} by a margin of "
            f"{best - runner_up:.3g}, Keras {theirs[image].argmax()}; logits are at most "
            f"{errors[worst]:.3g} apart"
        )
    return float(errors[worst])
