"""Streams and scores never share an image, and are drawn the same way every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.field import Samples, divide, paired


def numbered(count: int) -> Samples:
    """Samples whose only feature is their index."""
    return Samples(np.arange(count)[:, None], np.zeros(count, np.uint8))


def ids(samples: Samples) -> list[int]:
    return samples.features[:, 0].tolist()


@pytest.mark.parametrize(
    ("count", "stream", "pool"),
    [(10_000, 800, 5_000), (1_000, 800, 800), (5_000, 800, 2_500), (1_001, 801, 801)],
)
def test_the_pool_is_the_first_half_or_what_a_stream_needs(
    count: int, stream: int, pool: int
) -> None:
    field = divide(numbered(count), 10, stream, 200)
    assert ids(field.pool) == list(range(pool))
    assert ids(field.score) == list(range(pool, count))


def test_the_published_curve_is_scored_on_images_5000_to_5199() -> None:
    field = divide(numbered(10_000), 10, 800, 200)
    assert ids(field.score[:200]) == list(range(5_000, 5_200))


def test_too_few_images_are_refused_with_the_figures() -> None:
    divide(numbered(1_000), 10, 800, 200)
    with pytest.raises(ValueError, match=r"800 samples .* at least 1000 images; there are 999"):
        divide(numbered(999), 10, 800, 200)


@given(count=st.integers(2, 400), stream=st.integers(1, 200), score=st.integers(1, 200))
def test_no_image_is_in_both_parts(count: int, stream: int, score: int) -> None:
    samples = numbered(count)
    left = count - max(count // 2, stream)
    if left < score:
        with pytest.raises(ValueError, match=r"scenario\.samples: "):
            divide(samples, 10, stream, score)
        return
    field = divide(samples, 10, stream, score)
    assert ids(field.pool) + ids(field.score) == list(range(count))
    assert len(field.pool) >= stream
    assert len(field.score) == left


@settings(max_examples=40)
@given(counts=st.lists(st.integers(2, 40), min_size=2, max_size=6), seed=st.integers(0, 99))
def test_every_class_is_in_the_pool_and_scored_however_unbalanced(
    counts: list[int], seed: int
) -> None:
    """Also on the first images that are scored; no image is in both, and none is left out."""
    labels = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    labels = np.random.default_rng(seed).permutation(labels)
    split = Samples(np.arange(len(labels))[:, None], labels)
    stream, watched = len(labels) // 2, max(len(counts), len(labels) // 4)
    field = divide(split, len(counts), stream, watched)
    for part in (field.pool, field.score, field.score[:watched]):
        assert set(part.labels.tolist()) == set(range(len(counts)))
    assert sorted(ids(field.pool) + ids(field.score)) == list(range(len(labels)))
    assert all(
        labels[number] == label
        for number, label in zip(ids(field.pool), field.pool.labels, strict=True)
    )


def test_a_field_of_two_looks_has_each_image_twice() -> None:
    labels = np.array([0, 1, 1, 0, 1, 0], np.uint8)
    now = divide(Samples(np.arange(6)[:, None], labels), 2, 3, 2)
    later = divide(Samples(10 + np.arange(6)[:, None], labels), 2, 3, 2)
    field = paired(now, later)
    assert field.looks == 2
    assert ids(field.pool) == [0, 10, 1, 11, 2, 12]
    assert field.pool.labels.tolist() == [0, 2, 1, 3, 1, 3]
    assert ids(field.score) == [3, 13, 4, 14, 5, 15]
