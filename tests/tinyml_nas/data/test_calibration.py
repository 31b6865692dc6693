"""Calibration images follow from the training images, whatever their order or company."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_nas.data.calibration import calibration_images
from tinyml_nas.data.cifar10 import Cifar10
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.types import Images


def images_from(seed: int, count: int) -> Images:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 4, 5, 3), dtype=np.uint8)
    return Images(pixels, rng.integers(0, 10, count, dtype=np.uint8))


@given(st.integers(0, 1000), st.integers(1, 40), st.integers(0, 50))
def test_the_order_of_the_images_does_not_matter(seed: int, count: int, wanted: int) -> None:
    images = images_from(seed, count)
    shuffled = images[np.random.default_rng(seed).permutation(count)]
    chosen, again = calibration_images(images, wanted), calibration_images(shuffled, wanted)
    assert len(chosen) == min(count, wanted)
    assert np.array_equal(chosen.pixels, again.pixels)
    assert np.array_equal(chosen.labels, again.labels)


@given(st.integers(0, 1000), st.integers(1, 20))
def test_images_of_a_higher_rank_change_nothing(seed: int, wanted: int) -> None:
    images = images_from(seed, 40)
    chosen = calibration_images(images, wanted)
    highest = max(hashlib.sha256(p.transpose(2, 0, 1).tobytes()).digest() for p in chosen.pixels)
    fewer = np.array(
        [
            index
            for index, pixels in enumerate(images.pixels)
            if hashlib.sha256(pixels.transpose(2, 0, 1).tobytes()).digest() <= highest
            or index % 2 == 0
        ]
    )
    assert np.array_equal(calibration_images(images[fewer], wanted).pixels, chosen.pixels)


@pytest.mark.parametrize("count", [64, 500, 2000])
def test_the_sample_calibrates_as_all_of_cifar10_does(
    sample: Cifar10Sample, cifar10_root: Path, count: int
) -> None:
    few = calibration_images(sample.split("train"), count)
    many = calibration_images(Cifar10(cifar10_root).split("train"), count)
    assert np.array_equal(few.pixels, many.pixels)
    assert np.array_equal(few.labels, many.labels)
