"""Images as networks take them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from tinyml_nas.network.seen import inputs
from tinyml_nas.types import STANDARD, Images, Seen


def network_inputs(images: Images, side: int, seen: Seen = STANDARD) -> npt.NDArray[np.float32]:
    """Float32 (N, side, side, channels), as float networks take them."""
    return inputs(images, side, seen, "float32").astype(np.float32)


def device_inputs(
    images: Images, side: int, dtype: Literal["int8", "float32"], seen: Seen = STANDARD
) -> npt.NDArray[np.generic]:
    """(N, side, side, channels) in the extractor's own ``dtype``, as the device takes them."""
    return inputs(images, side, seen, dtype)
