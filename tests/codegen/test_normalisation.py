"""What is said of a network's normalisation, who says it, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.ir import Quantization, Tensor
from codegen.normalisation import Normalisation, told_by


def source(scale: float | None, zero_point: int = 0, channels: int = 3) -> Tensor:
    quantization = None if scale is None else Quantization((scale,), (zero_point,))
    dtype = "float32" if scale is None else "int8"
    return Tensor("image", (1, 8, 8, channels), dtype, quantization)


@pytest.mark.parametrize(
    ("scale", "zero_point", "mean", "std"),
    [
        (1 / 128, 0, 128, 128),
        (2 / 255, -1, 127.5, 127.5),
        (2 / 255, 0, 127.5, 127.5),
        (1 / 255, -128, 0, 255),
        (1.0, -128, 0, 1),
    ],
)
def test_usual_scales_tell(scale, zero_point, mean, std):
    told = told_by(source(scale, zero_point))
    assert told is not None
    assert (told.mean, told.std) == ((mean,) * 3, (std,) * 3)
    table = told.table(source(scale, zero_point)).astype(int)
    exact = (np.arange(256) - mean) / std / scale + zero_point
    assert np.abs(table - np.clip(exact, -128, 127)).max() <= 0.5001


@pytest.mark.parametrize(
    ("scale", "zero_point"), [(0.0187, -14), (1 / 128, -128), (1 / 255, 0), (0.5, -128), (None, 0)]
)
def test_other_scales_tell_nothing(scale, zero_point):
    assert told_by(source(scale, zero_point)) is None


@pytest.mark.parametrize(
    ("mean", "std", "of", "message"),
    [
        ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), source(0.0187, -14), "give 255 times mean"),
        ((1.0, 2.0), (9.0,), source(0.0187), "one for each of the input's 3 channels; got 2"),
        (
            (0.0,),
            (255.0,),
            source(0.0187, -14),
            "bytes become 0 to 1; the model's input holds -2.1",
        ),
        ((128.0,), (128.0,), source(1 / 255, -128), "they are of another training"),
        ((123.7, 116.3, 103.5), (58.4, 57.1, 57.4), source(1 / 128), "of another training"),
        ((float("nan"),), (1.0,), source(None), "mean, std: must be within 1e"),
        ((0.0,), (float("inf"),), source(None), "mean, std: must be within 1e"),
        ((0.0,), (0.0,), source(None), "std: must be at least 1"),
    ],
)
def test_what_does_not_go_with_the_input_is_refused(mean, std, of, message):
    with pytest.raises(ValueError, match=message):
        Normalisation.of(mean, std, of, "a test")


@pytest.mark.parametrize("seed", range(20))
def test_what_a_calibration_gives_is_taken(seed):
    """Any means and deviations, and the scale that their extremes would give an input."""
    rng = np.random.default_rng(seed)
    mean, std = rng.uniform(60, 160, 3), rng.uniform(40, 80, 3)
    low, high = float((-mean / std).min()), float(((255 - mean) / std).max())
    scale = (high - low) / 255
    of = source(scale, round(-128 - low / scale))
    made = Normalisation.of(tuple(mean.tolist()), tuple(std.tolist()), of, "a test")
    reals = (made.table(of).astype(float) - of.quantization.zero_points[0]) * scale
    exact = ((np.arange(256)[:, np.newaxis] - mean) / std).T
    assert np.abs(reals - exact).max() <= scale * 1.001  # the zero point was rounded
