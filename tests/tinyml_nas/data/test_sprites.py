"""Sprite sheets give back every pixel."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_nas.data.sprites import decode_sheet, encode_sheet


@pytest.mark.parametrize(("count", "columns"), [(6, 3), (4, 4), (5, 1)])
def test_round_trip(count: int, columns: int) -> None:
    pixels = np.random.default_rng(count).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    assert np.array_equal(decode_sheet(encode_sheet(pixels, columns), 8), pixels)


def test_a_row_that_is_not_full_is_refused() -> None:
    with pytest.raises(ValueError, match="5 tiles do not fill rows of 3"):
        encode_sheet(np.zeros((5, 8, 8, 3), np.uint8), 3)
