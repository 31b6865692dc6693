"""CIFAR-10's splits: 45,000 train, 5,000 validation, 10,000 test, and the sample of 6,000 inside.

Who belongs where follows from the images alone. Within a class, images are ranked by the SHA-256
of their record's pixels (ties, which are exact duplicates, by index): validation is the first 500
of each class of the training images, the sample the first of each class within its split. Each
split is then in ascending order of the official index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from tinyml_nas.types import SplitName

PER_CLASS: Mapping[SplitName, int] = MappingProxyType(
    {"train": 4_500, "validation": 500, "test": 1_000}
)
SAMPLE_PER_CLASS: Mapping[SplitName, int] = MappingProxyType(
    {"train": 400, "validation": 100, "test": 100}
)

# SHA-256 of the official indices as little-endian int32: train and validation count through
# data_batch_1..5 (0-49,999), test through test_batch (0-9,999).
SPLIT_SHA256: Mapping[SplitName, str] = MappingProxyType(
    {
        "train": "06f65fbaa97ffded098fc673373cb630d7ef2281772897d8b8ced6504bc56205",
        "validation": "076b35c7aa84f9b94b45a32d3385f62276953e1259585849fcdd573099cdd97f",
        "test": "9140e019602b8628f6f4a6aac3658bf206e332a92943eb113fb2b465fecc55d6",
    }
)
SAMPLE_SHA256: Mapping[SplitName, str] = MappingProxyType(
    {
        "train": "fa73f56c90015312874f022982cfa996f5064f1870a82cb9f47f22c88919b54f",
        "validation": "66b0f1ba7fb63263e688707c5467c5f8c630ff48dc04adcbd0e11ad8b09c4ff2",
        "test": "d1adac07cef350a30558f046b295861eb5e0c7fe6a514ae52eb066e0f190f95c",
    }
)

Indices = npt.NDArray[np.int64]


def index_digest(indices: Indices) -> str:
    """SHA-256 (hex) of a list of indices (N,)."""
    return hashlib.sha256(indices.astype("<i4").tobytes()).hexdigest()


def by_class(records: npt.NDArray[np.uint8]) -> list[Indices]:
    """Rank the records (N, 3073) of each class by the SHA-256 of their pixels: ten index lists."""
    ranks = [hashlib.sha256(record[1:].tobytes()).digest() for record in records]
    order = np.array(sorted(range(len(records)), key=lambda i: (ranks[i], i)), dtype=np.int64)
    labels = records[order, 0]
    return [order[labels == label] for label in range(10)]


def training_splits(records: npt.NDArray[np.uint8]) -> dict[SplitName, Indices]:
    """Divide the 50,000 training records (N, 3073) into train and validation."""
    ranked = by_class(records)
    return {
        "train": np.sort(
            np.concatenate([of_class[PER_CLASS["validation"] :] for of_class in ranked])
        ),
        "validation": np.sort(
            np.concatenate([of_class[: PER_CLASS["validation"]] for of_class in ranked])
        ),
    }


def sample_indices(split: SplitName, records: npt.NDArray[np.uint8], members: Indices) -> Indices:
    """Choose the embedded sample's part of a split, given all records and the split's members."""
    ranked = by_class(records[members])
    chosen = np.concatenate([of_class[: SAMPLE_PER_CLASS[split]] for of_class in ranked])
    return np.sort(members[chosen])
