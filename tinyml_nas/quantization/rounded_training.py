"""Fine-tuning of a network that rounds: the training loop around ``fake_quantization``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from codegen.frontend.read import read_as_written
from tinyml_nas.conversion.flatbuffer import Head
from tinyml_nas.network.seen_tensors import as_seen
from tinyml_nas.progress import reported
from tinyml_nas.quantization.base import Training
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.exact import ExactNetwork
from tinyml_nas.quantization.fake_quantization import FakeQuantized
from tinyml_nas.quantization.prepared import Prepared
from tinyml_nas.quantization.ranges import Range
from tinyml_nas.quantization.tflite import Network
from tinyml_nas.training.base import Recipe
from tinyml_nas.training.loop import Batch, device_of, train

CLOSEST = 1e-3
"""Of the largest feature: what torch's own order of adding up, layer after layer, leaves far behind."""


def trained(
    network: Network,
    ranges: Mapping[int, Range],
    training: Training,
    recipe: Recipe,
    teacher_share: float,
    seed: int,
) -> tuple[Prepared, Head]:
    """The network's weights and head after ``recipe``, rounded in every step within ``ranges``.

    The teacher is the network as it comes, unrounded. A run that was interrupted goes on from the state in
    ``training.work``.

    Raises:
        QuantizationError: a layer that cannot be trained; torch computes the network otherwise; or a layer whose weights are not finite afterwards.
        RuntimeError: the loss is no longer finite.
    """
    prepared = network.prepared
    quantized = read_as_written(prepared.quantized(ranges))
    student, teacher = (FakeQuantized(prepared.graph, quantized, network.head) for _ in range(2))
    teacher.requires_grad_(requires_grad=False)
    teacher.rounds = False
    _require_same(teacher, network)
    teacher.to(device_of(recipe), memory_format=torch.channels_last)  # type: ignore[call-overload]
    side = prepared.graph.input.shape[1]

    def backward(batch: Batch, epoch: float) -> Tensor:
        inputs = as_seen(batch.inputs(side), network.seen)
        logits = student(inputs)
        answers = teacher(inputs).softmax(1)
        loss = (1 - teacher_share) * F.cross_entropy(logits, batch.labels)
        loss = loss + teacher_share * F.cross_entropy(logits, answers)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    with reported("training in int8") as report:
        train(student, backward, training.images, recipe, training.work, seed, report)
    return prepared.with_constants(student.constants()), student.head()


def _require_same(unrounded: FakeQuantized, network: Network) -> None:
    """Refuse to train what is not the network: its features of an image are compared with those of the flatbuffer."""
    graph, image = network.prepared.graph, network.images[0]
    expected = ExactNetwork(graph).run(image)[graph.outputs[0]].reshape(-1)
    with torch.no_grad():
        found = unrounded.features(torch.from_numpy(image[None]).permute(0, 3, 1, 2)).double()
    apart = np.abs(found.numpy().reshape(-1) - expected).max()
    if not apart <= CLOSEST * max(1.0, np.abs(expected).max()):
        raise QuantizationError(
            f"quantizer=int8_qat: torch computes other features than the network, {apart:.2g} apart of "
            f"{np.abs(expected).max():.2g}; quantizer=int8 and quantizer=int8_mse train nothing"
        )
