"""Pruning as the pipeline asks for it, and what it must be equal to."""

from __future__ import annotations

import copy
from functools import cache

import torch

from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.network.cost import thesis_size_bytes
from tinyml_nas.network.module import StaticNetwork, spec_of
from tinyml_nas.pruning.base import Limits, Pruning, Room, Step
from tinyml_nas.pruning.groups import layout_of
from tinyml_nas.types import Images

LIMITS = Limits(thesis_size_bytes)


@cache
def images() -> Images:
    """Training images, read once."""
    return Cifar10Sample().split("train")[:300]


def pruned(
    pruning: Pruning, network: StaticNetwork, room: Room | None = None, seed: int = 0
) -> StaticNetwork:
    """The network after all steps, without training in between."""
    whole_bytes = thesis_size_bytes(spec_of(network))
    for number in range(1, pruning.steps + 1):
        step = Step(whole_bytes, images(), seed, number)
        network = pruning.prune(network, Limits(thesis_size_bytes, room), step)
    return network


def share_kept(before: StaticNetwork, after: StaticNetwork) -> float:
    """Of the bytes, as the thesis counts them."""
    return thesis_size_bytes(spec_of(after)) / thesis_size_bytes(spec_of(before))


@torch.no_grad()
def silenced(network: StaticNetwork, importances: list[torch.Tensor], widths: tuple[int, ...]):
    """``network`` with the least important channels of each group put to zero, not removed.

    A channel is zero where its convolutions' filters and BatchNorm's scale and shift are.
    """
    network = copy.deepcopy(network)
    layout = layout_of(spec_of(network))
    for index, (scores, width) in enumerate(zip(importances, widths, strict=True)):
        gone = torch.argsort(scores, stable=True)[: len(scores) - width]
        for name in putting_out(layout, index):
            layer = network.get_submodule(name)
            for tensor in layer.parameters():
                tensor[gone] = 0
    return network


def putting_out(layout, index: int) -> list[str]:
    """The layers that put a group's channels out, with their BatchNorms."""
    convolutions = [layout.groups[index].layer]
    for position, block in enumerate(layout.blocks):
        name = f"blocks.{position}"
        if block.hidden == index:
            convolutions.append(f"{name}.depthwise.conv")
        if block.outputs == index:
            convolutions.append(f"{name}.project.conv")
    names = dict.fromkeys(convolutions)
    norms = [name.removesuffix("conv") + "bn" for name in names if name.endswith(".conv")]
    return [*names, *norms]
