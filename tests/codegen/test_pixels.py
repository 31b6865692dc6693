"""Camera bytes to network input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from codegen.pixels import normalise, resize, to_codes


def test_codes_are_the_quantized_normalised_pixels():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert np.array_equal(to_codes(pixels).astype(np.float32) / 128, normalise(pixels))
    assert normalise(pixels).min() == -1.0
    assert normalise(pixels).max() == 127 / 128


@pytest.mark.parametrize("side", [16, 24, 28, 36, 40, 48, 104])
def test_resize_follows_the_training_interpolation(sample, side):
    pixels = sample.split("test").pixels[:20]
    nchw = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    exact = torch.nn.functional.interpolate(nchw, size=side, mode="bilinear", align_corners=False)
    difference = np.abs(resize(pixels, side) - exact.permute(0, 2, 3, 1).numpy())
    assert difference.max() <= 2.0  # 7-bit weights
    assert difference.mean() < 0.4


def test_resize_keeps_constant_images_and_native_sizes(sample):
    flat = np.full((1, 32, 32, 3), 200, dtype=np.uint8)
    assert np.array_equal(resize(flat, 40), np.full((1, 40, 40, 3), 200))
    pixels = sample.split("test").pixels[:2]
    assert resize(pixels, 32) is pixels


def test_only_square_images_are_resized():
    with pytest.raises(ValueError, match="must be square"):
        resize(np.zeros((1, 32, 24, 3), np.uint8), 40)
