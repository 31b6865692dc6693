"""Convolutions with a window, and their padding."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from codegen.ir import Op

WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D")


def with_padding(op: Op, top: int, left: int) -> Mapping[str, int | float | str | bool]:
    """Options of a convolution whose padding is given in rows and columns."""
    options = dict(op.options)
    options |= {"padding": "EXPLICIT", "pad_top": top, "pad_left": left}
    return MappingProxyType(options)
