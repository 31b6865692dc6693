"""From camera bytes to the network's input: the compiler's own, see ``codegen.pixels``."""

from codegen.pixels import (
    FRACTION_BITS,
    INPUT_SCALE,
    INPUT_ZERO_POINT,
    Bytes,
    normalise,
    resize,
    to_codes,
)

__all__ = [
    "FRACTION_BITS",
    "INPUT_SCALE",
    "INPUT_ZERO_POINT",
    "Bytes",
    "normalise",
    "resize",
    "to_codes",
]
