"""Which images a device may see in the field, and which ones score it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.driver import Features, Labels

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of known class: ``features`` (N, F) and ``labels`` (N,), in order."""

    features: Features
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: slice | Indices | npt.NDArray[np.bool_]) -> Samples:
        return Samples(self.features[index], self.labels[index])


@dataclass(frozen=True, eq=False)
class Field:
    """Streams are drawn from ``pool``, accuracy is taken on ``score``. ``classes`` counts all there are."""

    pool: Samples
    score: Samples
    classes: int


def divide(split: Samples, classes: int, stream_samples: int, score_samples: int) -> Field:
    """Divide a split in its own order: the pool is its first half, or as much as a stream needs.

    Of CIFAR-10's 10,000 test images the pool is 0-4999; of the embedded sample's 1,000 it is the
    first 800, with a stream of 800.

    Args:
        split: All samples of a split.
        classes: Number of classes.
        stream_samples: Length of a stream.
        score_samples: Least number of samples that must remain for scoring.

    Raises:
        ValueError: the split is too small.
    """
    check_size(len(split), stream_samples, score_samples)
    pool = max(len(split) // 2, stream_samples)
    return Field(split[:pool], split[pool:], classes)


def check_size(images: int, stream_samples: int, score_samples: int) -> None:
    """Refuse a split that is too small for ``divide``.

    Raises:
        ValueError: saying how many images are needed.
    """
    needed = max(stream_samples + score_samples, 2 * score_samples - 1)
    if images < needed:
        raise ValueError(
            f"scenario.samples: streams of {stream_samples} samples and {score_samples} images to "
            f"score need a split of at least {needed} images; there are {images}"
        )
