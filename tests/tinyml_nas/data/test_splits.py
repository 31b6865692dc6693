"""The splits are fixed by their digests, and the sample lies inside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml_nas.data.cifar10_files import FOLDER, TRAINING_FILES, read_records
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.data.splits import (
    SAMPLE_PER_CLASS,
    SAMPLE_SHA256,
    SPLIT_SHA256,
    by_class,
    index_digest,
    sample_indices,
    training_splits,
)
from tinyml_nas.types import SplitName

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


def test_full_splits_are_the_fixed_ones(cifar10_root: Path) -> None:
    records = read_records(cifar10_root / FOLDER, TRAINING_FILES)
    splits = training_splits(records)
    assert {name: index_digest(indices) for name, indices in splits.items()} == {
        name: SPLIT_SHA256[name] for name in ("train", "validation")
    }
    assert np.bincount(records[splits["train"], 0]).tolist() == [4_500] * 10
    assert np.bincount(records[splits["validation"], 0]).tolist() == [500] * 10
    together = np.concatenate(list(splits.values()))
    assert np.array_equal(np.sort(together), np.arange(50_000))
    assert index_digest(np.arange(10_000)) == SPLIT_SHA256["test"]
    for name, members in splits.items():
        assert index_digest(sample_indices(name, records, members)) == SAMPLE_SHA256[name]


@pytest.mark.parametrize("name", SPLITS)
def test_sample_indices_are_the_fixed_ones(sample: Cifar10Sample, name: SplitName) -> None:
    assert index_digest(sample.indices(name)) == SAMPLE_SHA256[name]
    labels = sample.split(name).labels
    assert np.bincount(labels).tolist() == [SAMPLE_PER_CLASS[name]] * 10


def test_sample_parts_do_not_overlap(sample: Cifar10Sample) -> None:
    assert not set(sample.indices("train")) & set(sample.indices("validation"))


def test_order_of_records_does_not_matter(rng: np.random.Generator) -> None:
    records = rng.integers(0, 256, (300, 3_073), dtype=np.uint8)
    records[:, 0] = np.arange(300) % 10
    shuffled = rng.permutation(300)
    for plain, mixed in zip(by_class(records), by_class(records[shuffled]), strict=True):
        assert np.array_equal(plain, shuffled[mixed])


def test_exact_duplicates_rank_by_index() -> None:
    records = np.zeros((20, 3_073), dtype=np.uint8)
    records[:, 0] = np.arange(20) % 10
    assert [of_class.tolist() for of_class in by_class(records)] == [[k, k + 10] for k in range(10)]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
