from __future__ import annotations

import numpy as np
import pytest

from tinyml_nas.conversion.equivalence import ConversionError, compare_logits
from tinyml_nas.conversion.keras import convert


def test_no_images_is_an_error(small_network, normalised, tmp_path):
    with pytest.raises(ValueError, match="images is empty"):
        convert(small_network, normalised("test", 0, 28), tmp_path)


def logits(rows=5):
    return np.random.default_rng(0).normal(size=(rows, 10)).astype(np.float32)


def test_largest_difference_is_reported():
    theirs = logits()
    theirs[3, 4] += 5e-5
    assert compare_logits(logits(), theirs) == pytest.approx(5e-5, rel=0.01)


@pytest.mark.parametrize("error", [1.1e-4, -1.1e-4, np.nan, np.inf])
@pytest.mark.parametrize("largest", [0.9, 50])
def test_an_error_above_the_limit_names_the_worst_image(error, largest):
    """Of logits above 1 the limit is a share of the largest."""
    ours = logits() * np.float32(largest / np.abs(logits()).max())
    theirs = ours.copy()
    theirs[1, 0] += 5e-5
    assert compare_logits(ours, theirs) > 0
    theirs[3, 4] += error * max(1, largest)
    with pytest.raises(ConversionError, match="on image 3 of 5 a logit is"):
        compare_logits(ours, theirs)


def test_another_class_stops_the_run_even_within_the_error():
    ours = logits()
    first, second = np.argsort(ours[2])[-2:]
    ours[2, first] = ours[2, second] + 2e-5
    theirs = ours.copy()
    theirs[2, second] += 4e-5
    with pytest.raises(
        ConversionError, match=r"differs on 1 of 5 images.*margin of 2e-05"
    ) as raised:
        compare_logits(ours, theirs)
    assert f"image 2: torch says {first}" in str(raised.value)
