"""A network's channels as torch-pruning's dependency graph couples them: seen, and removed."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch_pruning
from torch import Tensor, nn

from tinyml_nas.network.module import StaticNetwork, rebuild, spec_of
from tinyml_nas.pruning.groups import Layout, layout_of

_ROWS = (torch_pruning.prune_conv_out_channels, torch_pruning.prune_linear_out_channels)
_COLUMNS = (torch_pruning.prune_conv_in_channels, torch_pruning.prune_linear_in_channels)


@dataclass(frozen=True, eq=False)
class Channels:
    """The weights of a group's C channels, layer by layer.

    ``weights`` has a matrix (C, n) for each convolution and dense layer that puts the channels out or
    takes them in; depthwise layers are left out, their few weights being one filter a channel.
    ``gradients`` are those of the same weights, zeros where there are none. ``scales`` (C,) are
    BatchNorm's, one for each such layer; squeezed channels and the feature mix have none.
    """

    width: int
    weights: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...]
    scales: tuple[Tensor, ...]

    def l1_norms(self) -> Tensor:
        """Σ |w| of each channel over all layers, its scales among them: (C,)."""
        norms = [weights.abs().sum(1) for weights in self.weights]
        return torch.stack([*norms, *(scale.abs() for scale in self.scales)]).sum(0)


class Prunable:
    """A copy of a network, from which channels can be removed once."""

    def __init__(self, network: StaticNetwork) -> None:
        self.network = (
            copy.deepcopy(network).eval().requires_grad_(True)
        )  # DepGraph traces autograd
        side = network.resolution
        self._graph = torch_pruning.DependencyGraph().build_dependency(
            self.network, example_inputs=torch.zeros(1, 3, side, side)
        )
        self.layout: Layout = layout_of(spec_of(network))

    def channels(self) -> list[Channels]:
        """Each group of the layout."""
        return [self._channels(index) for index in range(len(self.layout.groups))]

    def keep(self, importances: Sequence[Tensor], widths: Sequence[int]) -> StaticNetwork:
        """The network with the ``most_important`` channels of each group, in their order."""
        for index, kept in enumerate(most_important(importances, widths)):
            removed = sorted(set(range(self.layout.groups[index].width)) - set(kept.tolist()))
            if removed:
                self._group(index, removed).prune()
        return rebuild(self.network)

    def _group(self, index: int, channels: list[int]) -> torch_pruning.Group:
        layer = self.network.get_submodule(self.layout.groups[index].layer)
        return self._graph.get_pruning_group(layer, torch_pruning.prune_conv_out_channels, channels)

    def _channels(self, index: int) -> Channels:
        width = self.layout.groups[index].width
        weights: list[Tensor] = []
        gradients: list[Tensor] = []
        scales: list[Tensor] = []
        for dependency, _ in self._group(index, list(range(width))):
            layer, handler = dependency.target.module, dependency.handler
            if isinstance(layer, nn.BatchNorm2d):
                scales.append(layer.weight.detach())
            elif handler in (*_ROWS, *_COLUMNS):
                weight = layer.weight
                gradient = torch.zeros_like(weight) if weight.grad is None else weight.grad
                for source, found in ((weight.detach(), weights), (gradient, gradients)):
                    rows = source if handler in _ROWS else source.transpose(0, 1)
                    found.append(rows.flatten(1))
        return Channels(width, tuple(weights), tuple(gradients), tuple(scales))


def most_important(importances: Sequence[Tensor], widths: Sequence[int]) -> list[Tensor]:
    """Which channels of each group stay, ascending.

    ``importances`` (C,) of each group, and how many of its channels stay; of equals, the later stay.
    """
    return [
        torch.argsort(scores, stable=True)[len(scores) - width :].sort().values
        for scores, width in zip(importances, widths, strict=True)
    ]
