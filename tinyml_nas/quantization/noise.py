"""How much of each layer is left after quantization: signal to noise, so that a bad layer is seen."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from codegen.frontend.read import read_as_written
from codegen.ir import Graph
from tinyml_nas.conversion import oracle
from tinyml_nas.progress import track
from tinyml_nas.quantization.exact import ExactNetwork
from tinyml_nas.quantization.layers import layer_names, rounded

MEASURED_IMAGES = 32
LARGEST_DB = 200.0
"""What a layer is said to have that lost nothing; its negative, one of which nothing is left."""


def signal_to_noise(
    graph: Graph, flatbuffer: bytes, images: npt.NDArray[np.float32]
) -> dict[str, float]:
    """Decibels of each layer of the float ``graph`` in the int8 ``flatbuffer``, by its name, in order.

    The signal is the layer's output in the float network, the noise its difference from the output in the
    int8 network, both squared and summed over normalised images (N, S, S, 3). Noise that comes in with a
    layer's inputs counts: a layer is bad where the figure falls.
    """
    network, quantized = ExactNetwork(graph), read_as_written(flatbuffer)
    others = rounded(quantized)
    assert [op.kind for op in graph.ops] == [op.kind for op, _ in others]
    indices = [index for _, index in others]
    made = [quantized.tensors[index] for index in indices]
    entered = quantized.input.quantization
    assert entered is not None
    steps = np.rint(images / entered.scales[0]) + entered.zero_points[0]
    codes = steps.clip(-128, 127).astype(np.int8)
    signals, noises = [0.0] * len(made), [0.0] * len(made)
    rows = oracle.tensors(flatbuffer, codes, indices)
    for image, row in zip(track(images, "noise of layers"), rows, strict=True):
        values = network.run(image)
        for number, (op, tensor, code) in enumerate(zip(graph.ops, made, row, strict=True)):
            assert tensor.quantization is not None
            exact = values[op.outputs[0]]
            ((scale,), (zero,)) = tensor.quantization.scales, tensor.quantization.zero_points
            real = scale * (code.astype(np.float64).reshape(exact.shape) - zero)
            signals[number] += math.fsum(np.square(exact).reshape(-1))
            noises[number] += math.fsum(np.square(real - exact).reshape(-1))
    names = layer_names(graph)
    return {n: decibels(s, e) for n, s, e in zip(names, signals, noises, strict=True)}


def decibels(signal: float, noise: float) -> float:
    """10 log10 of the ratio, to a hundredth, and within ±``LARGEST_DB``."""
    if noise == 0:
        return LARGEST_DB
    if signal == 0:
        return -LARGEST_DB
    ratio = round(10 * (math.log10(signal) - math.log10(noise)), 2)
    return min(LARGEST_DB, max(-LARGEST_DB, ratio))
