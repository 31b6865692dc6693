"""Gradients of the loss on training images, for criteria that ask what a channel's absence costs."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.training.loop import inputs_of
from tinyml_nas.types import Images


def take_gradients(network: StaticNetwork, images: Images) -> None:
    """Leave in every weight the gradient of the mean cross-entropy of ``images``, in evaluation mode."""
    labels = torch.from_numpy(images.labels.astype("int64"))
    start = 0
    for batch in inputs_of(images, network.resolution):
        loss = F.cross_entropy(network(batch), labels[start : start + len(batch)], reduction="sum")
        (loss / len(images)).backward()  # type: ignore[no-untyped-call]
        start += len(batch)
