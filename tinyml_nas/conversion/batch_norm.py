"""BatchNorm in evaluation mode is part of the layer before it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from tinyml_nas.network.trace import Step, Symbol, Trace

WEIGHTED = ("convolution", "addmm", "mm")


def fold_batch_norms(traced: Trace) -> Trace:
    """The same network; in float64, each BatchNorm behind a layer that nothing else reads is part of that."""
    readers = Counter(symbol for step in traced.steps for symbol in step.reads)
    readers[traced.logits] += 1
    steps: list[Step] = []
    makers: dict[Symbol, int] = {}
    for step in traced.steps:
        source = step.reads[0]
        place = makers.get(source)
        if step.op == "native_batch_norm" and place is not None and readers[source] == 1:
            folded = _folded(steps[place], step)
            if folded is not None:
                steps[place] = folded
                del makers[source]
                continue
        if step.op in WEIGHTED and not (step.op == "convolution" and step.args[6]):
            makers[step.outputs[0]] = len(steps)
        steps.append(step)
    return replace(traced, steps=tuple(steps))


def _folded(layer: Step, norm: Step) -> Step | None:
    """The layer with BatchNorm's outputs; None where either has weights that depend on the image."""
    convolves = layer.op == "convolution"
    weight = layer.args[1 if convolves or layer.op == "mm" else 2]
    bias = layer.args[2] if convolves else layer.args[0] if layer.op == "addmm" else None
    _, gamma, beta, mean, variance, training, _, epsilon = norm.args
    needed = (weight, mean, variance)
    if training or layer.options or not all(isinstance(item, Tensor) for item in needed):
        return None
    if any(isinstance(item, Symbol) for item in (bias, gamma, beta)):
        return None
    folded = fuse_conv_bn_weights(
        _double(weight if convolves else weight.t()),
        None if bias is None else _double(bias),
        mean.double(),
        variance.double(),
        epsilon,
        None if gamma is None else gamma.double(),
        None if beta is None else beta.double(),
    )
    kernel, shift = (part.detach() for part in folded)
    args: tuple[Any, ...]
    if convolves:
        args = (layer.args[0], kernel, shift, *layer.args[3:])
        return replace(layer, args=args, outputs=norm.outputs[:1])
    source = layer.args[1] if layer.op == "addmm" else layer.args[0]
    args = (shift, source, kernel.t())
    return replace(layer, op="addmm", args=args, outputs=norm.outputs[:1])


def _double(weight: Tensor) -> nn.Parameter:
    return nn.Parameter(weight.double())
