"""What is left of a pruned network is fitted anew to what the whole one computes, in closed form.

Layer after layer, in the order in which they run, weights and bias are those with the least squared distance
between the layer's outputs, before its activation, and those of the same channels in the whole network, on a few
hundred training images (He et al. 2017, channel pruning; Luo et al. 2017, ThiNet). Each layer is given what the
layers before it, fitted already, put out, so that it makes up for their errors too; behind a residual sum the sum
is fitted, not the branch. Nothing is trained, and labels are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinyml_nas.network.module import (
    ConvBn,
    InvertedResidual,
    SqueezeExcite,
    StaticNetwork,
    spec_of,
)
from tinyml_nas.pruning.groups import layout_of
from tinyml_nas.training.loop import inputs_of
from tinyml_nas.types import Images

RIDGE = 1e-3
"""Weight of the distance from the weights that were there, over the inputs' mean square; chosen on validation images."""
LEAST_SCALE = 1e-12
"""Least mean square of a layer's inputs, so that a layer without any keeps its weights."""

Pair = tuple[Tensor, Tensor]
"""What goes into a layer (N, in, H, W), and what should come out of it (N, out, H', W')."""


@torch.no_grad()
def reconstruct(
    smaller: StaticNetwork, whole: StaticNetwork, kept: Sequence[Tensor], images: Images
) -> None:
    """Fit ``smaller`` in place to ``whole``, of whose groups of channels (``layout_of``) it has ``kept``.

    BatchNorm's statistics become those of ``images``; a row of weights keeps its length, which is what its
    learning rate is worth by.
    """
    layout = layout_of(spec_of(whole))
    maps = []
    for batch in inputs_of(images, whole.resolution):
        out = whole.stem(batch)
        maps.append((out[:, kept[0]], out))
    for index, at in enumerate(layout.blocks):
        pair = (smaller.blocks[index], whole.blocks[index])
        own, source = (cast(InvertedResidual, block) for block in pair)
        squeezed = None if at.squeezed is None else kept[at.squeezed]
        _fit_block(own, source, (kept[at.hidden], squeezed, kept[at.outputs]), maps)
        maps = [(own(a), source(b)) for a, b in maps]
    if smaller.final is not None and whole.final is not None and layout.final is not None:
        own_final, final, channels = smaller.final, whole.final, kept[layout.final]
        fit(own_final.conv, own_final.bn, ((a, _plain(final, b)[:, channels]) for a, b in maps))
        maps = [(own_final(a), final(b)) for a, b in maps]
    maps = [(smaller.pool(a), whole.pool(b)) for a, b in maps]
    if smaller.mix is not None and whole.mix is not None and smaller.mix_act and whole.mix_act:
        mix, act, channels = whole.mix, whole.mix_act, kept[layout.features]
        fit(smaller.mix, None, ((a, mix(b)[:, channels]) for a, b in maps))
        maps = [(smaller.mix_act(smaller.mix(a)), act(mix(b))) for a, b in maps]
    fit(smaller.classifier, None, ((a, whole.classifier(b.flatten(1))) for a, b in maps))


def _fit_block(
    own: InvertedResidual,
    source: InvertedResidual,
    channels: tuple[Tensor, Tensor | None, Tensor],
    maps: Sequence[Pair],
) -> None:
    """Fit a block's layers; ``channels`` are the hidden, the squeezed and the outer ones that are kept."""
    hidden, squeezed, outputs = channels
    steps: list[Pair] = list(maps)
    if own.expand is not None and source.expand is not None:
        expand = source.expand
        fit(own.expand.conv, own.expand.bn, ((a, _plain(expand, b)[:, hidden]) for a, b in steps))
    fit(
        own.depthwise.conv,
        own.depthwise.bn,
        (
            (_before(own, a), _plain(source.depthwise, _before(source, b))[:, hidden])
            for a, b in steps
        ),
        pad=own.depthwise.pad,
    )
    if own.se is not None and source.se is not None and squeezed is not None:
        _fit_squeeze(own, source, (hidden, squeezed), steps)

    def projected() -> Iterator[Pair]:
        for a, b in steps:
            target = _plain(source.project, _hidden(source, b))[:, outputs]
            if own.residual:
                target = target + b[:, outputs] - a
            yield _hidden(own, a), target

    fit(own.project.conv, own.project.bn, projected())


def _fit_squeeze(
    own: InvertedResidual,
    source: InvertedResidual,
    channels: tuple[Tensor, Tensor],
    maps: Sequence[Pair],
) -> None:
    """Fit both layers of a block's squeeze-excite; ``channels`` are the hidden and the squeezed ones."""
    hidden, squeezed = channels
    small, large = cast(SqueezeExcite, own.se), cast(SqueezeExcite, source.se)
    pooled = [
        (
            small.pool(own.depthwise(_before(own, a))),
            large.pool(source.depthwise(_before(source, b))),
        )
        for a, b in maps
    ]
    fit(small.reduce, None, ((a, large.reduce(b)[:, squeezed]) for a, b in pooled))
    fit(
        small.expand,
        None,
        (
            (small.act(small.reduce(a)), large.expand(large.act(large.reduce(b)))[:, hidden])
            for a, b in pooled
        ),
    )


def _before(block: InvertedResidual, x: Tensor) -> Tensor:
    """What the depthwise layer takes."""
    out: Tensor = x if block.expand is None else block.expand(x)
    return out


def _hidden(block: InvertedResidual, x: Tensor) -> Tensor:
    """What the projection takes."""
    out: Tensor = block.depthwise(_before(block, x))
    return out if block.se is None else block.se(out)


def _plain(layer: ConvBn, x: Tensor) -> Tensor:
    """A layer's outputs before its activation."""
    out: Tensor = layer.bn(layer.conv(x if layer.pad is None else layer.pad(x)))
    return out


def fit(
    layer: nn.Conv2d | nn.Linear,
    norm: nn.BatchNorm2d | None,
    pairs: Iterator[Pair],
    pad: Callable[[Tensor], Tensor] | None = None,
) -> None:
    """Give a 1x1, depthwise or dense layer, and the BatchNorm behind it, what fits the ``pairs`` best.

    Each output channel c is one regression on n inputs: those of all channels, or a depthwise layer's window
    of its own channel. ``gram`` (g, n + 1, n + 1) and ``moment`` (g, n + 1, o) are sums over all places, with a
    constant 1 behind the inputs; g is 1 and o the outputs, or for a depthwise layer g the channels and o 1.
    """
    gram, moment, places = torch.zeros(()), torch.zeros(()), 0
    for inputs, targets in pairs:
        x, y = _rows(layer, inputs if pad is None else pad(inputs), targets)
        x = torch.cat([x, x.new_ones(*x.shape[:2], 1)], dim=2)
        gram = gram + (x.transpose(1, 2) @ x).double()
        moment = moment + (x.transpose(1, 2) @ y).double()
        places += x.shape[1]
    gram, moment = gram / places, moment / places
    weight = _matrix(layer.weight, norm).double()
    scale = gram.diagonal(dim1=1, dim2=2)[:, :-1].mean(1).clamp(min=LEAST_SCALE)
    ridge = RIDGE * scale[:, None, None] * torch.eye(weight.shape[1], dtype=torch.float64)
    system, wanted = gram.clone(), moment.clone()
    system[:, :-1, :-1] += ridge
    wanted[:, :-1] += ridge @ weight
    # Not lstsq, whose last bits depend on what lay in memory before.
    solved = torch.linalg.solve(system, wanted)
    _put(layer, norm, solved, gram)


def _rows(layer: nn.Conv2d | nn.Linear, x: Tensor, y: Tensor) -> Pair:
    """Inputs (g, places, n) and targets (g, places, o) of a layer."""
    if isinstance(layer, nn.Linear):
        return x.flatten(1)[None], y[None]
    if layer.groups == 1:
        return (
            x.permute(0, 2, 3, 1).reshape(1, -1, x.shape[1]),
            y.permute(0, 2, 3, 1).reshape(1, -1, y.shape[1]),
        )
    kernel, (stride, _) = layer.kernel_size, layer.stride
    windows = F.unfold(x.contiguous(), kernel, padding=cast(int, layer.padding[0]), stride=stride)
    images, _, places = windows.shape
    windows = windows.view(images, layer.groups, -1, places).permute(1, 0, 3, 2)
    return (
        windows.reshape(layer.groups, images * places, -1),
        y.transpose(0, 1).reshape(layer.groups, -1, 1),
    )


def _matrix(weight: Tensor, norm: nn.BatchNorm2d | None) -> Tensor:
    """Weights (out, in / groups, k, k) with BatchNorm's scale folded in, as (g, n, o)."""
    if norm is not None:
        gain = norm.weight / (cast(Tensor, norm.running_var) + norm.eps).sqrt()
        weight = weight * gain[:, None, None, None]
    depthwise = weight.dim() == 4 and weight.shape[2] > 1
    return weight.flatten(1)[:, :, None] if depthwise else weight.flatten(1).t()[None]


def _put(
    layer: nn.Conv2d | nn.Linear, norm: nn.BatchNorm2d | None, solved: Tensor, gram: Tensor
) -> None:
    """Write weights and bias ``solved`` (g, n + 1, o) into the layer and its BatchNorm.

    With BatchNorm a row has the length that it had, and statistics, scale and shift are such that measuring
    them anew on the same images changes nothing.
    """
    rows, bias = solved[:, :-1], solved[:, -1].flatten()
    weight = rows[:, :, 0] if len(rows) > 1 else rows[0].t()
    if norm is None:
        layer.weight.copy_(weight.reshape(layer.weight.shape))
        cast(Tensor, layer.bias).copy_(bias)
        return
    means = gram[:, :-1, -1:]
    mean = (rows * means).sum(1).flatten()
    covariance = gram[:, :-1, :-1] - means @ means.transpose(1, 2)
    variance = (rows * (covariance @ rows)).sum(1).flatten().clamp(min=0)
    length = weight.norm(dim=1)
    stretch = layer.weight.flatten(1).double().norm(dim=1) / length.clamp(min=1e-12)
    layer.weight.copy_((weight * stretch[:, None]).reshape(layer.weight.shape))
    cast(Tensor, norm.running_mean).copy_(mean * stretch)
    cast(Tensor, norm.running_var).copy_(variance * stretch.square())
    norm.weight.copy_((variance + norm.eps / stretch.square().clamp(min=1e-12)).sqrt())
    norm.bias.copy_(mean + bias)
