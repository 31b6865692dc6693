"""What a camera may come to show of the same things: less light or more, no sharp picture, a noisy one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["darker", "brighter", "blur", "noise"]
Pixels = npt.NDArray[np.uint8]

WIDEST_BLUR = 0.1
"""The deviation of the blur of strength 1, as a share of the image's side."""
_BATCH = 256  # images whose reals are in memory at once


@dataclass(frozen=True)
class Look:
    """How images look after a shift of ``strength`` in (0, 1].

    ``darker`` takes this share of the light away, ``brighter`` of what is missing to white. ``blur`` is a Gaussian's,
    whose deviation is a tenth of the side at strength 1. ``noise`` is Gaussian too, of each pixel and colour by
    itself; its deviation is the strength, where white is 1.
    """

    kind: Kind
    strength: float

    def seen(self, pixels: Pixels) -> Pixels:
        """The same images (N, H, W, 3) as they look now; the noise of a set of images is always the same."""
        rng = np.random.default_rng(0)
        out = np.empty_like(pixels)
        for start in range(0, len(pixels), _BATCH):
            part = pixels[start : start + _BATCH].astype(np.float32)
            shown = self._shown(part, rng)
            out[start : start + _BATCH] = np.clip(np.rint(shown), 0, 255).astype(np.uint8)
        return out

    def _shown(
        self, pixels: npt.NDArray[np.float32], rng: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        if self.kind == "darker":
            return pixels * np.float32(1 - self.strength)
        if self.kind == "brighter":
            return np.float32(255) - (np.float32(255) - pixels) * np.float32(1 - self.strength)
        if self.kind == "noise":
            noise = rng.standard_normal(pixels.shape, np.float32)
            noisy: npt.NDArray[np.float32] = pixels + np.float32(255 * self.strength) * noise
            return noisy
        weights = _gaussian(self.strength * WIDEST_BLUR * pixels.shape[1])
        return _blurred(_blurred(pixels, weights, axis=1), weights, axis=2)


def _gaussian(deviation: float) -> npt.NDArray[np.float32]:
    """Weights (2 R + 1,) that add up to 1, to three deviations on either side."""
    reach = max(1, round(3 * deviation))
    steps = np.arange(-reach, reach + 1)
    heights = np.exp(-0.5 * (steps / deviation) ** 2)
    weights: npt.NDArray[np.float32] = (heights / heights.sum()).astype(np.float32)
    return weights


def _blurred(
    pixels: npt.NDArray[np.float32], weights: npt.NDArray[np.float32], axis: int
) -> npt.NDArray[np.float32]:
    """Along one axis; beyond its edge an image goes on as its last pixel."""
    reach, size = len(weights) // 2, pixels.shape[axis]
    margins = [(reach, reach) if number == axis else (0, 0) for number in range(pixels.ndim)]
    wide = np.pad(pixels, margins, mode="edge")
    out = np.zeros_like(pixels)
    for step, weight in enumerate(weights):
        out += weight * np.take(wide, range(step, step + size), axis=axis)
    return out
