"""What passes between layers while a network is converted, and what all of them need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from torch import Tensor

from tinyml_nas.conversion.backend import keras
from tinyml_nas.network.trace import Step, Symbol

Array: TypeAlias = npt.NDArray[np.float64]
Sides: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
NO_ZEROS: Sides = ((0, 0), (0, 0))


class UnsupportedError(Exception):
    """A layer that the compiler does not know, or not with these options; says what to use instead."""


@dataclass(frozen=True, eq=False)
class Value:
    """A torch tensor (N, C, H, W) as Keras has it, (N, H, W, C); or a vector (N, F).

    ``order`` is the place in torch of each of Keras's features, where a map was flattened; None where they are the
    same. ``zeros`` are rows and columns that are yet to be put around: a convolution takes them for its padding.
    ``positive`` is whether no element can be below 0.
    """

    x: Any
    order: npt.NDArray[np.int64] | None = None
    zeros: Sides = NO_ZEROS
    positive: bool = False

    @property
    def is_map(self) -> bool:
        """Whether it has a height and a width."""
        return len(self.x.shape) == 4

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width."""
        return int(self.x.shape[1]), int(self.x.shape[2])

    @property
    def channels(self) -> int:
        """Channels of a map, features of a vector."""
        return int(self.x.shape[-1])


@dataclass(frozen=True, eq=False)
class Call:
    """An operator to be converted: ``name`` is the Keras layer's."""

    step: Step
    name: str
    values: dict[Symbol, Value]

    def value(self, place: int = 0) -> Value:
        """An argument that depends on the image, with zeros around it where they are due."""
        return padded(self.raw(place), f"{self.name}_pad{place or ''}")

    def raw(self, place: int = 0) -> Value:
        """The same with its zeros outstanding.

        Raises:
            UnsupportedError: the argument is a constant, or unknown.
        """
        symbol = self.step.args[place]
        if not isinstance(symbol, Symbol):
            raise UnsupportedError(f"{self.step.op} of a constant and an image")
        if symbol.broken:
            raise UnsupportedError(f"it {symbol.broken}; use inplace=False")
        return self.values[symbol]

    def argument(self, place: int, default: Any) -> Any:
        """A number or list, which is absent where it has its default."""
        return self.step.args[place] if len(self.step.args) > place else default

    def constant(self, place: int) -> Array | None:
        """A weight in float64; None where there is none.

        Raises:
            UnsupportedError: it depends on the image.
        """
        tensor = self.argument(place, None)
        if tensor is None:
            return None
        if not isinstance(tensor, Tensor):
            raise UnsupportedError(
                "its weights depend on the image; use weights that are parameters"
            )
        return np.asarray(tensor.double().numpy())


Layer: TypeAlias = Callable[[Call], Value | tuple[Value, ...]]


def padded(value: Value, name: str) -> Value:
    """The value with the zeros that are due around it."""
    if value.zeros == NO_ZEROS:
        return value
    x = keras.layers.ZeroPadding2D(value.zeros, name=name)(value.x)
    return replace(value, x=x, zeros=NO_ZEROS)


def pair(value: Any) -> tuple[int, int]:
    """Rows and columns of an option that may be one number for both."""
    numbers = [value] if isinstance(value, int) else list(value)
    return (numbers[0], numbers[-1])


def with_weights(layer: Any, x: Any, *weights: Array | None) -> Any:
    """Apply a Keras layer and give it its weights."""
    out = layer(x)
    layer.set_weights([weight for weight in weights if weight is not None])
    return out


def affine(value: Value, scale: Array, shift: Array, name: str) -> Value:
    """``scale`` and ``shift`` for each channel (in torch's order): a depthwise 1x1 convolution, one scale a channel in int8."""
    if value.order is not None:
        scale, shift = scale[value.order], shift[value.order]
    layer = keras.layers.DepthwiseConv2D(1, name=name)
    kernel = scale.reshape(1, 1, -1, 1)
    if value.is_map:
        return Value(with_weights(layer, value.x, kernel, shift))
    pixel = keras.layers.Reshape((1, 1, value.channels), name=f"{name}_pixel")(value.x)
    out = with_weights(layer, pixel, kernel, shift)
    return Value(keras.layers.Flatten(name=f"{name}_vector")(out), value.order)
