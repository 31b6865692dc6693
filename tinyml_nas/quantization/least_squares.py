"""Ranges of activations by the least squared error of what is rounded.

The minimum and maximum spend codes on values that hardly occur. Here each range is the one, of a grid of narrower
ones, whose 256 codes are nearest to the values on calibration images, squared and summed (Nagel et al. 2021, "A
White Paper on Neural Network Quantization", section 3.1). Two things keep the sum from being that of the loudest
channels, which need not matter:

- each channel counts by the squares of the weights that read it, so that it is the next layer's error that is least;
- what only a hard-swish reads is judged behind it: below -3 nothing is lost.

Values are counted one after the other, in an order that no library chooses, and ``exact`` gives the same values on
every machine: so the ranges are the same, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from codegen.ir import Graph
from tinyml_nas.progress import track
from tinyml_nas.quantization.calibration import Images
from tinyml_nas.quantization.exact import WEIGHT_AXES, Array, ExactNetwork, hard_swish
from tinyml_nas.quantization.ranges import BOTTOM, CODES, Range, ranges_of

HALF_BINS = 2048
"""Bins between zero and the value of the largest magnitude: at least eight a code."""

PASS_ON = ("ADD", "HARD_SWISH", "MEAN", "MUL", "RELU", "RELU6", "RESHAPE")
"""Operators that leave every channel its own."""

SHARES = tuple(1 - step / 20 for step in range(16))
"""Of the minimum and of the maximum, from the whole of it to a quarter."""


def least_squares(graph: Graph, images: Images) -> dict[int, Range]:
    """The range of every activation of a float ``graph``, by tensor, on normalised images (N, S, S, 3).

    The input keeps its own: it is given.
    """
    network = ExactNetwork(graph)
    widest = ranges_of(network, track(images, "extremes of layers"))
    counted = {
        index: Histogram.between(*widest[index], importance(graph, index)) for index in widest
    }
    for image in track(images, "histograms of layers"):
        values = network.run(image)
        for index, histogram in counted.items():
            histogram.count(values[index])
    (source,) = graph.inputs
    found = {source: widest[source]}
    readers: dict[int, list[str]] = {}
    for op in graph.ops:
        for index in op.inputs:
            readers.setdefault(index, []).append(op.kind)
    for op in track(graph.ops, "ranges of layers"):
        (made,) = op.outputs
        low, high = widest[made]
        if op.kind == "HARD_SWISH":  # its input may have been narrowed
            high = min(high, float(hard_swish(np.array(found[op.inputs[0]][1]))))
        if readers.get(made) == ["HARD_SWISH"]:
            found[made] = counted[made].best((max(low, BOTTOM), high), hard_swish)
        else:
            found[made] = counted[made].best((low, high))
    return found


def importance(graph: Graph, tensor: int) -> Array:
    """How much the squared error of each channel counts in what reads it, (C,); all 1 where that is open."""
    weighed = _importance(graph, tensor)
    if weighed is None or not weighed.any():
        return np.ones(graph.tensors[tensor].shape[-1])
    return weighed


def _importance(graph: Graph, tensor: int) -> Array | None:
    """None where the channels are read by what does not weigh them."""
    readers = [op for op in graph.ops if tensor in op.inputs]
    if len(readers) > 1:  # a squeeze-excite's mean hardly sees noise
        readers = [op for op in readers if op.kind != "MEAN"]
    total: Array | None = None
    for op in readers:
        data = graph.tensors[op.inputs[1]].data if op.kind in WEIGHT_AXES else None
        if data is not None and op.kind != "DEPTHWISE_CONV_2D":
            squares = np.square(data.astype(np.float64)).reshape(-1, data.shape[-1])
            found = np.array([math.fsum(column) for column in squares.T])
        elif op.kind in PASS_ON or (
            data is not None and data.shape[-1] == _channels(graph, tensor)
        ):
            further = _importance(graph, op.outputs[0])
            if further is None or len(further) != _channels(graph, tensor):
                return None
            found = further
            if data is not None:
                taps = np.square(data.astype(np.float64)).reshape(-1, data.shape[-1])
                found = further * np.array([math.fsum(column) for column in taps.T])
        else:
            return None
        total = found if total is None else total + found
    return total


def _channels(graph: Graph, tensor: int) -> int:
    return graph.tensors[tensor].shape[-1]


@dataclass(frozen=True, eq=False)
class Histogram:
    """How much weight lies near each multiple of ``width``; zero is one of them.

    A value weighs what its channel does, ``channels`` (C,).
    """

    width: float
    channels: Array
    weights: Array

    @staticmethod
    def between(low: float, high: float, channels: Array) -> Histogram:
        """An empty one for values from ``low`` to ``high``."""
        width = (max(-low, high) or 1.0) / HALF_BINS
        return Histogram(width, channels, np.zeros(2 * HALF_BINS + 1))

    def count(self, values: Array) -> None:
        """Take ``values`` (1, H, W, C) in."""
        bins = np.rint(values.reshape(-1) / self.width).astype(np.int64) + HALF_BINS
        channels = np.tile(self.channels, values.size // len(self.channels))
        self.weights[:] += np.bincount(bins, channels, len(self.weights))

    def best(self, widest: Range, then: Callable[[Array], Array] | None = None) -> Range:
        """The range within ``widest`` with the least squared error, behind ``then`` where it is given.

        Among equals it is the widest.
        """
        (bins,) = np.nonzero(self.weights)
        weights = self.weights[bins]
        values: Array = (bins - HALF_BINS) * np.float64(self.width)
        exact = values if then is None else then(values)
        low, high = min(widest[0], 0.0), max(widest[1], 0.0)
        best, least = (low, high), math.inf
        for lowest in [low * share for share in SHARES] if low else [0.0]:
            for highest in [high * share for share in SHARES] if high else [0.0]:
                if lowest == highest:
                    continue
                coded = rounded_to_codes(values, lowest, highest)
                error = np.square((coded if then is None else then(coded)) - exact)
                if (total := math.fsum(weights * error)) < least:
                    best, least = (lowest, highest), total
        return best


def rounded_to_codes(values: Array, low: float, high: float) -> Array:
    """``values`` as int8 codes express them where zero has a code of its own."""
    scale = (high - low) / CODES
    zero = np.rint(-low / scale)
    result: Array = ((np.rint(values / scale) + zero).clip(0, CODES) - zero) * scale
    return result
