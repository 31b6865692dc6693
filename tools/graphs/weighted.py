"""What random convolutions and dense layers share: weights, bias, the output's sides and scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np

from tools.graphs.builder import Builder

PLAIN: Mapping[str, str | int] = MappingProxyType(
    {
        "padding": "VALID",
        "stride_h": 1,
        "stride_w": 1,
        "fused_activation": "NONE",
        "dilation_h": 1,
        "dilation_w": 1,
    }
)
"""Options of a convolution without any."""


def weighted(
    b: Builder, shape: tuple[int, ...], channels: int, axis: int, bias_share: float = 0.8
) -> tuple[int, ...]:
    """Weights of a scale for each channel, and in ``bias_share`` of the cases a bias."""
    scales = tuple(b.rng.uniform(0.001, 0.02, channels))
    constants = random_weights(b, shape, scales, axis), random_bias(b, channels, scales)
    return constants if b.rng.random() < bias_share else constants[:1]


def random_weights(b: Builder, shape: tuple[int, ...], scales: tuple[float, ...], axis: int) -> int:
    """Codes of ``scales``, or reals of their size."""
    codes = b.rng.integers(-127, 128, shape)
    if b.dtype == "float32":
        return b.constant((codes / 127).astype(np.float32))
    return b.constant(codes.astype(np.int8), scales, axis)


def random_bias(b: Builder, channels: int, scales: tuple[float, ...]) -> int:
    """Of an input of scale 0.05 and weights of ``scales``."""
    codes = b.rng.integers(-3000, 3000, channels)
    if b.dtype == "float32":
        return b.constant((codes / 1000).astype(np.float32))
    return b.constant(codes.astype(np.int32), tuple(0.05 * scale for scale in scales))


def output_scale(rng: np.random.Generator, taps: int) -> float:
    """Codes that spread over the range: sums of products of random codes, at the scales used."""
    deviation = 0.05 * 74 * 0.01 * 73 * np.sqrt(taps)
    return float(deviation / 64 * rng.uniform(0.5, 2))


def swept(
    sides: Iterable[int], kernel: Iterable[int], stride: Iterable[int], padding: str
) -> list[int]:
    """The output's sides where a window is swept over an image."""
    return [
        -(-n // s) if padding == "SAME" else (n - k) // s + 1
        for n, k, s in zip(sides, kernel, stride, strict=True)
    ]
