"""torch to Keras: the same layers, the copied weights, and a numerical check on every run.

The network is run once, and each operator of its trace becomes a Keras layer (``layers``). BatchNorm is folded into
its convolution in float64 (``batch_norm``), so that its epsilon cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import nn

from tinyml_nas.conversion.archive import save
from tinyml_nas.conversion.backend import keras
from tinyml_nas.conversion.batch_norm import fold_batch_norms
from tinyml_nas.conversion.equivalence import ConversionError, check_equivalence
from tinyml_nas.conversion.layers import INSTEAD, LAYERS
from tinyml_nas.conversion.layers.base import Call, UnsupportedError, Value, padded
from tinyml_nas.network.trace import Step, Symbol, TraceError, trace
from tinyml_nas.store.digest import digest_of
from tinyml_nas.types import Artifact, KerasModel

MODEL_FILE = "model.keras"


def convert(network: nn.Module, images: npt.NDArray[np.float32], folder: Path) -> KerasModel:
    """Convert ``network`` and write ``model.keras`` into ``folder``.

    Args:
        network: Maps float32 (N, 3, S, S) to logits (N, classes); evaluation mode is used.
        images: Normalised images, float32 (N, S, S, 3), on which both networks are compared.
        folder: Existing folder.

    Raises:
        ConversionError: an unsupported layer; logits more than
            ``equivalence.MAX_ABS_ERROR`` apart; or an image whose top-1 class differs.
    """
    model = to_keras(network, images.shape[1:])
    max_abs_error = check_equivalence(network, model, images)
    path = folder / MODEL_FILE
    save(model, path)
    return KerasModel(Artifact(path, digest_of(path)), max_abs_error, len(images))


def to_keras(network: nn.Module, image_shape: tuple[int, ...]) -> keras.Model:
    """The Keras model of a torch network for NHWC images of one ``image_shape`` (H, W, C).

    Raises:
        ConversionError: it cannot be read; or names every layer that has no equal in Keras, with its path in the
            network and what to use instead.
    """
    height, width, channels = image_shape
    try:
        traced = fold_batch_norms(trace(network, (channels, height, width)))
    except TraceError as error:
        raise ConversionError(str(error)) from error
    image = keras.Input(image_shape, name="images")
    values, faults = {traced.image: Value(image)}, list[str]()
    for step, name in zip(traced.steps, _names(traced.steps), strict=True):
        try:
            made = _converted(Call(step, name, values))
        except UnsupportedError as error:
            faults.append(f"{step.path or 'the network itself'} ({step.kind}): {error}")
            made = tuple(_stand_in(symbol) for symbol in step.outputs)
        values.update(zip(step.outputs, made, strict=True))
    logits = values[traced.logits]
    if logits.order is not None:
        faults.append("the output is a flattened map; end with nn.Linear")
    if faults:
        raise ConversionError("cannot be converted:\n  " + "\n  ".join(dict.fromkeys(faults)))
    return keras.Model(image, padded(logits, "logits_pad").x, name="network")


def _converted(call: Call) -> tuple[Value, ...]:
    """The operator's outputs."""
    op = call.step.op
    if op not in LAYERS:
        instead = INSTEAD.get(op, "one of the layers that docs/own-network.md lists")
        raise UnsupportedError(f"there is no layer for {op}; use {instead}")
    made = LAYERS[op](call)
    values = made if isinstance(made, tuple) else (made,)
    return values[: len(call.step.outputs)]


def _stand_in(symbol: Symbol) -> Value:
    """Something of the right shape, so that faults further on are found too."""
    sides = symbol.shape[1:]
    if len(sides) == 3:
        return Value(keras.Input((sides[1], sides[2], sides[0])))
    return Value(keras.Input((int(np.prod(sides)),)))


def _names(steps: tuple[Step, ...]) -> Iterator[str]:
    """A name for each layer, all different: of the module that is one, else of the module and what it calls.

    No name ends in a number: TensorFlow tells calls of one layer apart by those.
    """
    taken: set[str] = set()
    for step in steps:
        name = step.path.replace(".", "_")
        if not (hasattr(nn, step.kind) and name) or re.search(r"(^|_)\d+$", name):
            name = f"{name}_{step.op.strip('_')}".lstrip("_")
        unique, count = name, 1
        while unique in taken:
            count += 1
            unique = f"{name}_again_{'x' * count}"
        taken.add(unique)
        yield unique
