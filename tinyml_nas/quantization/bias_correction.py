"""Bias correction (Nagel et al. 2019, section 4.2): what rounding the weights adds to a layer on average.

With weights W rounded to W + ε, a convolution's output moves by E[ε x] = ε E[x]. That much is taken from its bias.
E[x] is measured here, on calibration images, and keeps its height and width, so that padding counts as it does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codegen.frontend.read import read_as_written
from tinyml_nas.progress import track
from tinyml_nas.quantization.exact import WEIGHT_AXES, Array, ExactNetwork, mean
from tinyml_nas.quantization.prepared import Prepared, real_constant


def corrected(prepared: Prepared, flatbuffer: bytes, images: npt.NDArray[np.float32]) -> Prepared:
    """The float network with the biases that undo what its int8 ``flatbuffer`` adds on average.

    Layers without a bias stay as they are.
    """
    network = ExactNetwork(prepared.graph)
    quantized = read_as_written(flatbuffer)
    means = _mean_inputs(network, images)
    constants: dict[int, Array] = {}
    for number, (op, rounded) in enumerate(zip(prepared.graph.ops, quantized.ops, strict=True)):
        if op.kind not in WEIGHT_AXES or len(op.inputs) < 3 or op.inputs[2] < 0:
            continue
        weights, bias = (prepared.constant(index) for index in op.inputs[1:3])
        error = real_constant(quantized, rounded.inputs[1]) - weights
        moved = network.linear(number, means[op.inputs[0]], error)
        constants[op.inputs[2]] = bias - mean(moved, tuple(range(moved.ndim - 1)))
    return prepared.with_constants(constants)


def _mean_inputs(network: ExactNetwork, images: npt.NDArray[np.float32]) -> dict[int, Array]:
    """The mean over ``images`` of every tensor that a layer with weights reads."""
    read = {op.inputs[0] for op in network.graph.ops if op.kind in WEIGHT_AXES}
    sums = {index: np.zeros(network.graph.tensors[index].shape) for index in read}
    for image in track(images, "means of layers"):
        values = network.run(image)
        for index in read:  # one image after the other: always in the same order
            sums[index] += values[index]
    return {index: total / len(images) for index, total in sums.items()}
