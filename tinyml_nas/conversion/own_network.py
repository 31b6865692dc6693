"""Networks that users bring, as float flatbuffers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import nn

from tinyml_nas.conversion.backend import keras
from tinyml_nas.conversion.equivalence import check_equivalence
from tinyml_nas.conversion.flatbuffer import converted, converter_of
from tinyml_nas.conversion.keras import to_keras
from tinyml_nas.network.own import OwnInput, OwnNetworkError


def of_module(network: nn.Module, images: npt.NDArray[np.float32]) -> tuple[bytes, float]:
    """That of a torch module, and how far it is from it on ``images`` (N, S, S, C), as it sees them.

    Raises:
        ConversionError: names every layer that cannot be converted; or logits differ.
    """
    model = to_keras(network, images.shape[1:])
    error = check_equivalence(network, model, images)
    return converted(converter_of(model)), error


def of_keras(path: Path, given: OwnInput) -> bytes:
    """That of a Keras model's file, for images of one size.

    Raises:
        OwnNetworkError: it is no model of images, needs code of the user, or cannot be converted.
    """
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:
        raise OwnNetworkError(
            f"network={path}: Keras cannot load it: {error}; layers of your own must be saved as Keras's"
        ) from error
    shape = model.input_shape
    if not isinstance(shape, tuple) or not isinstance(model.output_shape, tuple):
        raise OwnNetworkError(f"network={path}: must have one input and one output")
    side = given.side(shape[1:])
    if shape[1:3] != (side, side):
        image = keras.Input((side, side, shape[3]))
        model = keras.Model(image, model(image))
    try:
        return converted(converter_of(model))
    except Exception as error:
        raise OwnNetworkError(f"network={path}: TensorFlow cannot convert it: {error}") from error
