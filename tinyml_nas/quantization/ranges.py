"""What each tensor of a network ranges over: calibration, and the clips of hard-swishes.

Ranges are the least and the greatest value on calibration images (TensorFlow Lite's min/max
calibration), computed by ``exact``: so they are the same on every machine, and the quantized network is, too.

Before a hard-swish, 256 codes are better spent otherwise. A convolution gets its range from rare values, and what
lies below -3 becomes zero anyway. With one scale for a tensor, channels of small amplitude are lost: at the
stem of a fine-tuned network this alone cost five points of accuracy. What a convolution gives to
a hard-swish is therefore clipped to [-3, top], with the ``top`` that changes the features least (calibration by
the error of the output instead of the minimum and maximum; see Nagel et al. 2021, "A White Paper on
Neural Network Quantization", section 3.1). A narrower range is all that it takes: int8 saturates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from codegen.ir import Graph
from tinyml_nas.progress import track
from tinyml_nas.quantization.calibration import Images
from tinyml_nas.quantization.exact import Array, ExactNetwork, hard_swish

Range = tuple[float, float]

BOTTOM = -3.0  # hard-swish is zero below
LEAST = -0.375  # its minimum, at -1.5
CODES = 255
KEEP_SCALE = frozenset(
    [
        "AVERAGE_POOL_2D",
        "CONCATENATION",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MINIMUM",
        "PAD",
        "PADV2",
        "REDUCE_MAX",
        "RELU6",  # alone: TFLM's only cuts codes off
        "RESHAPE",
        "SLICE",
        "STRIDED_SLICE",
        "TRANSPOSE",
    ]
)
"""Operators whose int8 output has the scale of their inputs."""
SHARES_OF_MAXIMUM = (1.0, 0.9, 0.75, 0.6, 0.45)
PROBED_IMAGES = 100


def calibrated(graph: Graph, images: Images, clip_hard_swish: bool) -> dict[int, Range]:
    """The range of every activation of a float ``graph``, by tensor, on normalised images (N, S, S, 3)."""
    network = ExactNetwork(graph)
    clips: dict[int, Range] = {}
    if clip_hard_swish:
        tops = best_tops(network, images[:PROBED_IMAGES])
        clips = {tensor: (BOTTOM, top) for tensor, top in tops.items()}
    return united(graph, ranges_of(network, track(images, "calibration"), clips))


def united(graph: Graph, ranges: Mapping[int, Range]) -> dict[int, Range]:
    """Ranges in which what is only moved or compared keeps its scale: all that such an operator joins has one."""
    found = dict(ranges)
    joined = [
        {index for index in (*op.inputs, *op.outputs) if index in found}
        for op in graph.ops
        if op.kind in KEEP_SCALE
    ]
    for _ in joined:  # what the last one widens may be the first one's
        before = dict(found)
        for group in joined:
            low = min(found[index][0] for index in group)
            high = max(found[index][1] for index in group)
            found.update(dict.fromkeys(group, (low, high)))
        if found == before:
            break
    return found


def best_tops(network: ExactNetwork, images: Images) -> dict[int, float]:
    """For each convolution's output before a hard-swish, the clip that changes the features least.

    Each is tried alone, with its values rounded to the 256 codes that the clip leaves. Among equals the
    highest is taken.
    """
    swishes = hard_swishes(network.graph)
    largest = ranges_of(network, images)
    tops = {
        tensor: [share * max(largest[tensor][1], 1.0) for share in SHARES_OF_MAXIMUM]
        for tensor in swishes
    }
    errors = {tensor: [0.0] * len(SHARES_OF_MAXIMUM) for tensor in swishes}
    for image in track(images, "clips of hard-swishes"):
        values = network.run(image)
        exact = values[network.graph.outputs[0]]
        for tensor, number in swishes.items():
            for index, top in enumerate(tops[tensor]):
                other = rounded_hard_swish(values[tensor], top)
                error = network.output_with(values, number, other) - exact
                errors[tensor][index] += math.fsum(np.square(error).reshape(-1))
    return {tensor: tops[tensor][int(np.argmin(errors[tensor]))] for tensor in swishes}


def hard_swishes(graph: Graph) -> dict[int, int]:
    """Tensors that go from a convolution to a hard-swish and nowhere else, and the number of the latter."""
    convolved = {
        op.outputs[0]
        for op in graph.ops
        if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D") and op.options["fused_activation"] == "NONE"
    }
    readers = [index for op in graph.ops for index in op.inputs]
    return {
        op.inputs[0]: number
        for number, op in enumerate(graph.ops)
        if op.kind == "HARD_SWISH"
        and op.inputs[0] in convolved
        and readers.count(op.inputs[0]) == 1
    }


def rounded_hard_swish(x: Array, top: float) -> Array:
    """Hard-swish as int8 computes it with its input clipped to [-3, ``top``]."""
    entered = hard_swish(rounded(x, BOTTOM, top))
    return rounded(entered, LEAST, float(hard_swish(np.array(top))))


def rounded(values: Array, low: float, high: float) -> Array:
    """``values`` as 256 codes between ``low`` and ``high`` can express them."""
    step = (high - low) / CODES
    result: Array = np.rint((values.clip(low, high) - low) / step) * step + low
    return result


def ranges_of(
    network: ExactNetwork,
    images: Iterable[npt.NDArray[np.float32]],
    clips: Mapping[int, Range] = MappingProxyType({}),
) -> dict[int, Range]:
    """The least and the greatest value of every activation, by tensor; ``clips`` as in ``ExactNetwork.run``."""
    activations = [*network.graph.inputs, *(op.outputs[0] for op in network.graph.ops)]
    ranges = dict.fromkeys(activations, (math.inf, -math.inf))
    for image in images:
        values = network.run(image, clips)
        ranges = {
            index: (
                min(low, float(values[index].min())),
                max(high, float(values[index].max())),
            )
            for index, (low, high) in ranges.items()
        }
    return ranges
