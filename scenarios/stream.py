"""Which images a device sees in the field, in which order, and which ones score it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.driver import Features, Labels


@dataclass(frozen=True, eq=False)
class Samples:
    """Labelled samples: ``features`` (N, F) and ``labels`` (N,), in order."""

    features: Features
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: slice | npt.NDArray[np.int64]) -> Samples:
        return Samples(self.features[index], self.labels[index])


@dataclass(frozen=True, eq=False)
class Field:
    """A split divided in two: streams are drawn from ``pool``, accuracy is taken on ``score``."""

    pool: Samples
    score: Samples


def divide(split: Samples, stream_samples: int, score_samples: int) -> Field:
    """Divide a split in its own order: the pool is its first half, or as much as a stream needs.

    Of CIFAR-10's 10,000 test images the pool is 0-4999; of the embedded sample's 1,000 it is the
    first 800, with a stream of 800.

    Args:
        split: All samples of a split.
        stream_samples: Length of a stream, which never sees an image twice.
        score_samples: Least number of samples that must remain for scoring.

    Raises:
        ValueError: the split is too small.
    """
    check_size(len(split), stream_samples, score_samples)
    pool = max(len(split) // 2, stream_samples)
    return Field(pool=split[:pool], score=split[pool:])


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


def draw(pool: Samples, samples: int, rng: np.random.Generator) -> Samples:
    """Draw a stream from the pool, without repetition and in random order."""
    return pool[rng.permutation(len(pool))[:samples]]
