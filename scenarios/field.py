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
    """Streams are drawn from ``pool``, accuracy is taken on ``score``. ``classes`` counts all there are.

    ``looks`` is how often each image is there: 2 where ``paired`` made it.
    """

    pool: Samples
    score: Samples
    classes: int
    looks: int = 1


def divide(split: Samples, classes: int, stream_samples: int, score_samples: int) -> Field:
    """Divide a split in its own order: the pool is its first half, or as much as a stream needs.

    Of CIFAR-10's 10,000 test images the pool is 0-4999; of the embedded sample's 1,000 it is the
    first 800, with a stream of 800. Where a class would be missing in the pool or among the first
    ``score_samples`` to score, as it may in a small or unbalanced split, each part takes its share of each class.

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
    there = len(np.unique(split.labels))
    parts = (split.labels[:pool], split.labels[pool : pool + score_samples])
    if all(len(np.unique(part)) == there for part in parts):
        return Field(split[:pool], split[pool:], classes)
    order = _class_by_class(split.labels)
    score = order[pool:][::-1]  # the last of each class is scored first
    return Field(split[np.sort(order[:pool])], split[score], classes)


def _class_by_class(labels: Labels) -> Indices:
    """All images (N,), so that any part from the front or the back has its share of each class.

    The first of each class come first and the last of each last.
    """
    place = np.empty(len(labels))
    for number in np.unique(labels):
        own = np.flatnonzero(labels == number)
        place[own] = (np.arange(len(own)) + 0.5) / len(own)
        place[own[-1]] = 2.0
        place[own[0]] = -1.0
    return np.argsort(place, kind="stable")


def paired(field: Field, later: Field) -> Field:
    """Each image twice, one after the other: as it is, and under its label plus ``classes`` as it looks later."""
    return Field(
        _in_pairs(field.pool, later.pool, field.classes),
        _in_pairs(field.score, later.score, field.classes),
        field.classes,
        looks=2,
    )


def _in_pairs(samples: Samples, later: Samples, classes: int) -> Samples:
    features = np.stack([samples.features, later.features], axis=1)
    labels = np.stack([samples.labels, later.labels + classes], axis=1)
    return Samples(features.reshape(-1, features.shape[-1]), labels.reshape(-1).astype(np.uint8))


def check_size(images: int, stream_samples: int, score_samples: int) -> None:
    """Refuse a split that is too small for ``divide``.

    Raises:
        ValueError: saying how many images are needed.
    """
    needed = images_needed(stream_samples, score_samples)
    if images < needed:
        raise ValueError(
            f"scenario.samples: streams of {stream_samples} samples and {score_samples} images to "
            f"score need a split of at least {needed} images; there are {images}"
        )


def images_needed(stream_samples: int, score_samples: int) -> int:
    """Images of the smallest split for ``divide``."""
    return max(stream_samples + score_samples, 2 * score_samples - 1)
