"""Augmentation moves whole images, and erases what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tinyml_nas.training.augmentation import GREY, augment


def images(count: int, side: int) -> torch.Tensor:
    size = count * 3 * side * side
    return (torch.arange(size) % 251).to(torch.uint8).reshape(count, 3, side, side)


def test_every_shift_and_flip_of_whole_images_is_drawn():
    before = images(2, 8)
    padded = torch.nn.functional.pad(before.float(), (1, 1, 1, 1), mode="reflect").byte()
    possible = {
        (top, left, flip): padded[:, :, top : top + 8, left : left + 8].flip([3] if flip else [])
        for top in range(3)
        for left in range(3)
        for flip in (False, True)
    }
    rng = np.random.default_rng(0)
    found = set()
    for _ in range(200):
        after = augment(before, 1, rng)
        for index in range(2):
            matches = [k for k, v in possible.items() if torch.equal(after[index], v[index])]
            assert len(matches) == 1
            found.update(matches)
    assert len(found) == 18


def test_no_padding_and_no_erasing_leave_the_pixels():
    before = images(4, 8)
    after = augment(before, 0, np.random.default_rng(0))
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one, other) or torch.equal(one.flip(2), other)


@pytest.mark.parametrize("side", [1, 4])
def test_erasing_greys_one_square_of_all_channels(side):
    before = torch.zeros(1000, 3, 8, 8, dtype=torch.uint8)
    grey = augment(before, 0, np.random.default_rng(0), side) == GREY
    assert torch.equal(grey[:, 0], grey[:, 2])
    rows, columns = grey[:, 0].any(2).sum(1), grey[:, 0].any(1).sum(1)
    assert torch.equal(grey[:, 0].sum((1, 2)), rows * columns)  # a rectangle
    assert rows.max() == columns.max() == side
    assert rows.min() >= side // 2  # at the border
    assert grey[:, 0].any(0).all()  # every place is reached
