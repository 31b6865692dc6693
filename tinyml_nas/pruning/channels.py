"""Removes whole channels, with everything that is coupled to them."""

from __future__ import annotations

import copy

import torch
import torch_pruning

from tinyml_nas.network.module import StaticNetwork, rebuild
from tinyml_nas.pruning.widths import Share


def remove_channels(network: StaticNetwork, share: Share) -> StaticNetwork:
    """Keep ``share`` of the channels of every layer, those with the largest L1 norm.

    Channels that must go together form a group (Fang et al. 2023, DepGraph): the layers around a
    residual sum; expansion, depthwise and squeeze-excite. A channel's importance is the mean L1
    norm of its weights over the group's layers. All groups are ranked before any is pruned.
    """
    network = copy.deepcopy(network).eval().requires_grad_(True)  # DepGraph traces autograd
    graph = torch_pruning.DependencyGraph().build_dependency(
        network, example_inputs=torch.zeros(1, 3, network.resolution, network.resolution)
    )
    importance = torch_pruning.importance.MagnitudeImportance(p=1, normalizer=None)
    removals = []
    for group in graph.get_all_groups(ignored_layers=[network.classifier]):
        scores = importance(group)
        least_first = torch.argsort(scores, stable=True).tolist()
        surplus = len(scores) - share.kept(len(scores))
        root = group[0].dep
        removals.append((root.target.module, root.handler, sorted(least_first[:surplus])))
    for layer, prune, channels in removals:
        if channels:
            graph.get_pruning_group(layer, prune, channels).prune()
    return rebuild(network)
