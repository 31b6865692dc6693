"""Images as networks take them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from codegen.pixels import normalise, resize, to_codes
from tinyml_nas.types import Images


def network_inputs(images: Images, side: int) -> npt.NDArray[np.float32]:
    """Float32 (N, side, side, 3), as the float networks take them."""
    return normalise(resize(images.pixels, side))


def device_inputs(
    images: Images, side: int, dtype: Literal["int8", "float32"]
) -> npt.NDArray[np.generic]:
    """(N, side, side, 3) in the extractor's own ``dtype``, as the device takes them."""
    pixels = resize(images.pixels, side)
    return to_codes(pixels) if dtype == "int8" else normalise(pixels)
