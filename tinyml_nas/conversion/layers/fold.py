"""This project's own operator: pooled maps of several blocks, folded into few features."""

from __future__ import annotations

from typing import Any

from tinyml_nas.conversion.backend import keras
from tinyml_nas.conversion.layers.base import Call, Layer, Value
from tinyml_nas.network.spec import rows_of


def fold(call: Call) -> Value:
    """``fold(maps, width)``: a mean of each map, all in one row, the row in pieces, their mean."""
    symbols, width = call.step.args
    pooled = [
        _mean(call.values[symbol].x, f"{call.name}_tap{n}") for n, symbol in enumerate(symbols)
    ]
    row = pooled[0]
    if len(pooled) > 1:
        row = keras.layers.Concatenate(name=f"{call.name}_row")(pooled)
    rows = rows_of(row.shape[-1], width)
    if rows == 1:
        return Value(row)
    if missing := rows * width - row.shape[-1]:
        # (1, 1, C): as if the channels were columns, or Keras would not pad them.
        fill = keras.layers.ZeroPadding2D(
            ((0, 0), (0, missing)), data_format="channels_first", name=f"{call.name}_fill"
        )
        row = fill(row)
    stacked = keras.layers.Reshape((rows, 1, width), name=f"{call.name}_rows")(row)
    return Value(_mean(stacked, call.name))


def _mean(x: Any, name: str) -> Any:
    """A pixel is its own mean; TensorFlow would write two RESHAPEs."""
    if tuple(x.shape[1:3]) == (1, 1):
        return x
    return keras.layers.GlobalAveragePooling2D(keepdims=True, name=name)(x)


LAYERS: dict[str, Layer] = {"fold": fold}
