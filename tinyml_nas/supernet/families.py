"""Which supernet a space has: the one place that knows both."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import torch

from tinyml_nas.supernet.lite0_network import Lite0Supernet
from tinyml_nas.supernet.lite0_space import Lite0Space
from tinyml_nas.supernet.lite0_start import lite0_from_imagenet
from tinyml_nas.supernet.network import Supernet
from tinyml_nas.supernet.spaces import AnySpace

AnySupernet: TypeAlias = Supernet | Lite0Supernet


def untrained(
    space: AnySpace, classes: int, seed: int, imagenet: Path | None = None
) -> AnySupernet:
    """The supernet before training: weights from ``seed``, but for those that ImageNet left.

    ``imagenet`` is the file of a space that starts from them; None looks for the extra's. Torch's
    global random state stays as it was.

    Raises:
        PretrainingError: the space starts from ImageNet, and the file is missing or damaged.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if isinstance(space, Lite0Space):
            return lite0_from_imagenet(space, classes, imagenet)
        return Supernet(space, classes)


def is_head(name: str) -> bool:
    """Whether a tensor of this name belongs to a head Φ_c, which alone depends on the classes."""
    return name.startswith(("heads.", "classifier."))


def blank(space: AnySpace, classes: int) -> AnySupernet:
    """The supernet that a checkpoint of the space fills."""
    if isinstance(space, Lite0Space):
        return Lite0Supernet(space, classes)
    return Supernet(space, classes)
