"""Camera bytes to network input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.pixels import normalise, resample, resize, to_codes
from tinyml_nas.training.augmentation import resized


def test_codes_are_the_quantized_normalised_pixels():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert np.array_equal(to_codes(pixels).astype(np.float32) / 128, normalise(pixels))
    assert normalise(pixels).min() == -1.0
    assert normalise(pixels).max() == 127 / 128


@pytest.mark.parametrize("side", [3, 11, 16, 24, 28, 31, 36, 40, 48, 104])
def test_resize_follows_the_training_interpolation(sample, side):
    pixels = sample.split("test").pixels[:20]
    nchw = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    trained = resized(nchw, side).permute(0, 2, 3, 1).numpy() * 128 + 128
    difference = np.abs(resize(pixels, side) - trained)
    bound = 2.0 if side > 32 else 0.51  # positions have 7 bits where the image grows
    assert difference.max() <= bound
    assert difference.mean() < 0.4


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_shrinking_is_the_exact_filter_rounded(data):
    height, width = data.draw(st.integers(2, 90)), data.draw(st.integers(2, 90))
    sides = data.draw(st.integers(1, height - 1)), data.draw(st.integers(1, width - 1))
    seed = data.draw(st.integers(0, 2**31))
    image = np.random.default_rng(seed).integers(0, 256, (1, height, width, 3), np.uint8)
    exact = torch.nn.functional.interpolate(
        torch.from_numpy(image).permute(0, 3, 1, 2).double(),
        size=sides,
        mode="bilinear",
        align_corners=False,
        antialias=True,
    )
    found = resample(image, *sides)
    assert np.abs(found - exact.permute(0, 2, 3, 1).numpy()).max() < 0.5 + 1e-6


def test_a_fine_pattern_shrinks_to_its_mean():
    board = np.indices((96, 96)).sum(0) % 2 * np.uint8(255)
    image = np.repeat(board[np.newaxis, :, :, np.newaxis], 3, axis=3).astype(np.uint8)
    assert np.abs(resize(image, 24)[0, 1:-1, 1:-1].astype(int) - 127.5).max() <= 1


def test_resize_keeps_constant_images_and_native_sizes(sample):
    flat = np.full((1, 32, 32, 3), 200, dtype=np.uint8)
    assert np.array_equal(resize(flat, 40), np.full((1, 40, 40, 3), 200))
    pixels = sample.split("test").pixels[:2]
    assert resize(pixels, 32) is pixels


def test_only_square_images_are_resized():
    with pytest.raises(ValueError, match="must be square"):
        resize(np.zeros((1, 32, 24, 3), np.uint8), 40)
