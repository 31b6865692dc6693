"""What a shift does to pixels, against its definition and against Pillow and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from scenarios.look import Look


@settings(max_examples=30)
@given(strength=st.floats(0.01, 1), seed=st.integers(0, 999))
def test_light_is_taken_or_added_by_its_share(strength: float, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 8, 8, 3), np.uint8)
    real = pixels.astype(np.float64)
    assert Look("darker", strength).seen(pixels) == pytest.approx(real * (1 - strength), abs=0.501)
    brighter = 255 - (255 - real) * (1 - strength)
    assert Look("brighter", strength).seen(pixels) == pytest.approx(brighter, abs=0.501)


@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
def test_blur_is_a_gaussian_s_whose_width_goes_with_the_side(strength, sample) -> None:
    pixels = sample.split("test").pixels[:5]
    wide = [
        gaussian_filter(
            pixels.astype(np.float64),
            (0, 3.2 * strength, 3.2 * strength, 0),
            mode="nearest",
            radius=(0, r, r, 0),
        )
        for r in [max(1, round(9.6 * strength))]
    ]
    assert Look("blur", strength).seen(pixels) == pytest.approx(wide[0], abs=0.51)


def test_noise_is_of_its_deviation_different_in_each_image_and_always_the_same() -> None:
    grey = np.full((600, 16, 16, 3), 128, np.uint8)
    noisy = Look("noise", 0.1).seen(grey)
    errors = noisy.astype(np.float64) - 128
    assert errors.std() == pytest.approx(25.5, rel=0.01)
    assert abs(errors.mean()) < 0.2
    assert (noisy[0] != noisy[1]).any()
    assert (noisy[0] != noisy[256]).any()
    assert (Look("noise", 0.1).seen(grey) == noisy).all()
    assert grey.max() == grey.min() == 128
