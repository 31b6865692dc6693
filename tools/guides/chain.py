"""A Keras network of one layer after the other."""

from __future__ import annotations

from typing import Any


def chain(keras: Any, shape: tuple[int, ...], *layers: Any) -> Any:
    """The network; layers are Keras's."""
    return keras.Sequential([keras.Input(shape), *layers])
