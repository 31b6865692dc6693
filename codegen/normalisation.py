"""How a network was trained to see a byte of an image, and what that makes of its input.

In the units of TensorFlow Lite's metadata: a byte p is (p - mean) / std to the network, for each
channel. What other libraries give for pixels of 0 to 1 is 255 times as much.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codegen.arguments import reals
from codegen.ir import Tensor

BYTES = np.arange(256)
# What the range of an int8 input tells: -1 to 1 in two ways, 0 to 1, and the byte itself.
USUAL = ((128.0, 128.0), (127.5, 127.5), (0.0, 255.0), (0.0, 1.0))
SCALE_TOLERANCE = 1e-3
MOST_SATURATED = 1 / 8  # of the bytes
LEAST_COVERED = 1 / 2  # of the codes
MOST = 1e6


@dataclass(frozen=True)
class Normalisation:
    """``mean`` and ``std`` of each channel, for bytes; ``origin`` says who says so."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    origin: str = "given"

    @classmethod
    def of(
        cls, mean: Sequence[float], std: Sequence[float], source: Tensor, origin: str
    ) -> Normalisation:
        """For the input ``source`` (1, H, W, C); one number stands for all channels.

        Raises:
            ValueError: there are other numbers of channels, or bytes do not become what the input holds.
        """
        channels = source.shape[-1]
        rows = {}
        for name, values in (("mean", mean), ("std", std)):
            if len(values) not in (1, channels):
                raise ValueError(
                    f"{name}: must be one number, or one for each of the input's {channels} "
                    f"channels; got {len(values)}"
                )
            rows[name] = tuple(values) * (channels if len(values) == 1 else 1)
        if not all(abs(value) <= MOST for row in rows.values() for value in row):
            raise ValueError(f"mean, std: must be within {MOST:g}; got {mean} and {std}")
        if min(rows["std"]) < 1:
            raise ValueError(
                f"std: must be at least 1, as bytes of 0..255 have it; got {min(rows['std']):g} "
                "(for pixels of 0..1, give 255 times mean and std)"
            )
        made = cls(rows["mean"], rows["std"], origin)
        made._check(source)
        return made

    @property
    def factors(self) -> tuple[float, ...]:
        """1 / std in float32."""
        return tuple(float(np.float32(1 / value)) for value in self.std)

    def reals(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """What a network of reals takes of bytes (..., C), in the steps of the device."""
        mean, factors = np.array(self.mean, np.float32), np.array(self.factors, np.float32)
        found: npt.NDArray[np.float32] = (pixels.astype(np.float32) - mean) * factors
        return found

    def codes(
        self, pixels: npt.NDArray[np.uint8], scale: float, zero_point: int
    ) -> npt.NDArray[np.int8]:
        """What an int8 network takes of bytes (..., C)."""
        table = np.clip(self._unclipped(scale, zero_point), -128, 127).astype(np.int8)
        return table[np.arange(len(self.mean)), pixels]

    def table(self, source: Tensor) -> npt.NDArray[np.int8]:
        """The code of each byte (C, 256) of an int8 input."""
        assert source.quantization is not None
        bytes_ = np.repeat(BYTES[:, np.newaxis], len(self.mean), 1).astype(np.uint8)
        scale, zero_point = source.quantization.scales[0], source.quantization.zero_points[0]
        return self.codes(bytes_, scale, zero_point).T

    def kind(self, source: Tensor) -> str:
        """How a device computes it: ``real``; ``shift``, where a code is byte - 128; or ``table``."""
        if source.quantization is None:
            return "real"
        shifted = np.array_equal(self.table(source).view(np.uint8) ^ 128, [BYTES] * len(self.mean))
        return "shift" if shifted else "table"

    def text(self) -> str:
        """In words."""
        mean, std = (", ".join(f"{x:g}" for x in _short(row)) for row in (self.mean, self.std))
        return f"(p - mean) / std of a byte p, mean {mean}, std {std} ({self.origin})"

    def _unclipped(self, scale: float, zero_point: int) -> npt.NDArray[np.float64]:
        """Codes (C, 256), rounded as TensorFlow Lite does: halves away from zero."""
        mean, std = (np.array(row)[:, np.newaxis] for row in (self.mean, self.std))
        steps = (BYTES - mean) / std / scale
        found: npt.NDArray[np.float64] = np.trunc(steps + np.copysign(0.5, steps)) + zero_point
        return found

    def _check(self, source: Tensor) -> None:
        quantization = source.quantization
        if quantization is None:
            return
        scale, zero_point = quantization.scales[0], quantization.zero_points[0]
        codes = self._unclipped(scale, zero_point)
        outside = float(np.mean((codes < -129) | (codes > 128)))
        covered = (min(codes.max(), 127) - max(codes.min(), -128) + 1) / 256
        if outside > MOST_SATURATED or covered < LEAST_COVERED:
            low, high = ((code - zero_point) * scale for code in (-128, 127))
            seen = [
                (byte - m) / d
                for m, d in zip(self.mean, self.std, strict=True)
                for byte in (0, 255)
            ]
            raise ValueError(
                f"mean, std: bytes become {min(seen):.4g} to {max(seen):.4g}; the model's input "
                f"holds {low:.4g} to {high:.4g} (scale {scale:g}, zero point {zero_point}): they "
                "are of another training"
            )


def told_by(source: Tensor) -> Normalisation | None:
    """What an int8 input's scale and zero point say, where they are those of a usual normalisation."""
    quantization = source.quantization
    if len(source.shape) != 4 or source.shape[1] == 1 or quantization is None:
        return None
    found = usual(quantization.scales[0], quantization.zero_points[0])
    if found is None:
        return None
    mean, std = found
    return Normalisation.of((mean,), (std,), source, "by the scale of the model's input")


def usual(scale: float, zero_point: int) -> tuple[float, float] | None:
    """Mean and deviation of the usual normalisation that an int8 input of this scale is for."""
    for mean, std in USUAL:
        if abs(scale * std - 1) < SCALE_TOLERANCE and abs(zero_point + 128 - mean) <= 0.5:
            return mean, std
    return None


def add_options(group: argparse._ActionsContainer, default: str) -> None:
    """--mean and --std of a command line; ``default`` says where they come from without."""
    for name, text in (("mean", "took from a byte"), ("std", "then divided it by")):
        group.add_argument(
            f"--{name}",
            type=reals(MOST),
            metavar="R,G,B",
            help=f"what the training {text}, for bytes of 0..255: one for all channels or one for "
            f"each (default: {default})",
        )


def _short(row: tuple[float, ...]) -> tuple[float, ...]:
    return row[:1] if len(set(row)) == 1 else row
