"""A data set without some of its classes: the others as they were, by their new numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml_nas.data.cifar10 import Cifar10
from tinyml_nas.data.sample import Cifar10Sample


@pytest.mark.parametrize("only", [(0, 1, 2, 3, 4, 5, 6, 7), (2, 9)])
def test_the_classes_that_are_kept_are_as_they_were(only) -> None:
    whole, part = Cifar10Sample(), Cifar10Sample(only)
    assert part.classes == len(only)
    assert part.class_names == tuple(whole.class_names[number] for number in only)
    every, some = whole.split("validation"), part.split("validation")
    kept = np.isin(every.labels, only)
    assert (some.pixels == every.pixels[kept]).all()
    assert (np.array(only)[some.labels] == every.labels[kept]).all()
    assert some.labels.dtype == np.uint8
    assert len(some) == part.count("validation") == 100 * len(only)
    assert (part.indices("validation") == whole.indices("validation")[kept]).all()


def test_a_part_has_a_digest_of_its_own() -> None:
    digests = {
        kind(*root, only_classes=only).digest()
        for kind, root in ((Cifar10Sample, ()), (Cifar10, (Path("/nowhere"),)))
        for only in (None, (0, 1), (0, 2))
    }
    assert len(digests) == 6
    assert Cifar10(Path("/a"), (1, 2)).count("test") == 2_000


@pytest.mark.parametrize("only", [(), (3,), (1, 0), (1, 1), (-1, 2), (3, 10)])
def test_what_is_no_choice_is_refused_by_name(only) -> None:
    with pytest.raises(ValueError, match=r"dataset\.only_classes: must be null or at least two"):
        Cifar10Sample(only)
