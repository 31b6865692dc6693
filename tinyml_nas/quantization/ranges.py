"""Ranges for hard-swish: clip where 256 codes are better spent.

A convolution before a hard-swish gets its range from rare values, and what lies below -3 becomes zero
anyway. With one scale for a tensor, channels of small amplitude are lost: at the stem of a fine-tuned
network this alone cost five points of accuracy. The input of each hard-swish is therefore clipped to
[-3, top], with the ``top`` that changes the features least (calibration by the error of the output
instead of the minimum and maximum; see Nagel et al. 2021, "A White Paper on Neural Network
Quantization", section 3.1).

The converter takes ranges from data only, so the clip is written into the network: the convolution
is scaled to end in RELU6, and a multiplication and an addition undo it. In int8 those are functions
of one code each; the generator folds them with the hard-swish into one table.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_nas.conversion.backend import keras

Array = npt.NDArray[np.float32]

BOTTOM = -3.0  # hard-swish is zero below
LEAST = -0.375  # its minimum, at -1.5
CODES = 255
SHARES_OF_MAXIMUM = (1.0, 0.9, 0.75, 0.6, 0.45)
PROBED_IMAGES = 100


def clipped(extractor: keras.Model, images: Array) -> keras.Model:
    """The same network with each hard-swish that follows a convolution clipped for int8.

    Ranges come from ``images``, normalised (N, S, S, 3).
    """
    tops = best_tops(extractor, images[:PROBED_IMAGES])
    # Names are given, so that equal networks give equal files.
    image = keras.Input(extractor.input_shape[1:], name=extractor.layers[0].name)
    values: dict[int, Any] = {id(extractor.input): image}
    for layer in extractor.layers[1:]:
        arguments = _arguments(layer, values)
        if layer.name in tops:
            out = _clipped_convolution(layer, arguments, tops[layer.name])
        else:
            out = layer(arguments)
        values[id(layer.output)] = out
    return keras.Model(image, values[id(extractor.output)], name=extractor.name)


def convolutions(extractor: keras.Model) -> dict[str, Any]:
    """The hard-swishes that read a convolution, by the convolution's name, in order."""
    makers = {id(layer.output): layer for layer in extractor.layers}
    found = {}
    for layer in extractor.layers:
        if isinstance(layer, keras.layers.Activation) and layer.activation.__name__ == "hard_silu":
            maker = makers[id(layer.input)]
            if isinstance(maker, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
                found[maker.name] = layer
    return found


def best_tops(extractor: keras.Model, images: Array) -> dict[str, float]:
    """For each convolution before a hard-swish, the clip that changes the features least.

    Each is tried alone, with its values rounded to the 256 codes that the clip leaves.
    """
    swishes = convolutions(extractor)
    rounding = {layer.name: RoundedHardSwish() for layer in swishes.values()}
    values: dict[int, Any] = {id(extractor.input): extractor.input}
    for layer in extractor.layers[1:]:
        values[id(layer.output)] = rounding.get(layer.name, layer)(_arguments(layer, values))
    probe = keras.Model(extractor.input, values[id(extractor.output)])
    exact = probe.predict(images, verbose=0)

    def error(swish: RoundedHardSwish, top: float) -> float:
        swish.top.assign(top)
        difference = probe.predict(images, verbose=0) - exact
        swish.top.assign(0.0)
        return float(np.square(difference).mean())

    tops = {}
    for name, layer in swishes.items():
        largest = keras.Model(extractor.input, layer.input).predict(images, verbose=0).max()
        candidates = [share * max(float(largest), 1.0) for share in SHARES_OF_MAXIMUM]
        tops[name] = min(candidates, key=partial(error, rounding[layer.name]))
    return tops


class RoundedHardSwish(keras.layers.Layer):  # type: ignore[misc]
    """Hard-swish as int8 computes it with its input clipped to [-3, ``top``]; exact at ``top`` 0."""

    def __init__(self) -> None:
        super().__init__()
        self.top = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x: Any) -> Any:
        """Apply to a tensor of any shape."""
        exact = keras.activations.hard_silu(x)
        top = keras.ops.maximum(self.top, 1e-3)
        entered = keras.activations.hard_silu(rounded(x, BOTTOM, top))
        left = rounded(entered, LEAST, keras.activations.hard_silu(top))
        return keras.ops.where(self.top > 0, left, exact)


def rounded(values: Any, low: Any, high: Any) -> Any:
    """``values`` as 256 codes between ``low`` and ``high`` can express them."""
    step = (high - low) / CODES
    clipped_values = keras.ops.clip(values, low, high)
    return keras.ops.round((clipped_values - low) / step) * step + low


def _arguments(layer: Any, values: dict[int, Any]) -> Any:
    if isinstance(layer.input, list):
        return [values[id(tensor)] for tensor in layer.input]
    return values[id(layer.input)]


def _clipped_convolution(layer: Any, x: Any, top: float) -> Any:
    """clip(layer(x), -3, top), by way of RELU6."""
    scale = 6 / (top - BOTTOM)
    kernel, bias = layer.get_weights()
    built = type(layer).from_config(layer.get_config())
    out = built(x)
    built.set_weights([kernel * scale, (bias - BOTTOM) * scale])
    out = keras.layers.ReLU(max_value=6.0, name=f"{layer.name}_relu6")(out)
    return keras.layers.Rescaling(1 / scale, offset=BOTTOM, name=f"{layer.name}_clipped")(out)
