"""How samples come: every order gives what it says, of any pool, the same way every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.streams.imbalanced import Imbalanced
from scenarios.streams.noisy_labels import NoisyLabels
from scenarios.streams.runs import Runs
from scenarios.streams.shuffled import Shuffled
from scenarios.streams.sorted import Sorted

ORDERS = (Shuffled(), Runs(), Runs(3), Sorted(), Imbalanced(), NoisyLabels())
POOLS = st.lists(st.integers(0, 4), min_size=1, max_size=60)
SEEDS = st.integers(0, 2**32 - 1)


def chosen(order, labels, samples, seed=0, classes=5):
    rng = np.random.default_rng(seed)
    ranking = rng.permutation(classes)
    return ranking, order.choose(np.array(labels, np.uint8), samples, ranking, rng)


@given(order=st.sampled_from(ORDERS), pool=POOLS, seed=SEEDS, data=st.data())
def test_a_stream_has_its_length_and_images_of_the_pool(order, pool, seed, data) -> None:
    samples = data.draw(st.integers(1, len(pool)))
    _, indices = chosen(order, pool, samples, seed)
    assert len(indices) == samples
    assert indices.min() >= 0
    assert indices.max() < len(pool)
    assert (indices == chosen(order, pool, samples, seed)[1]).all()
    if not isinstance(order, Imbalanced):
        assert len(set(indices.tolist())) == samples


@pytest.mark.parametrize("order", ORDERS)
def test_the_generator_decides_the_stream(order) -> None:
    pool = np.arange(500) % 5
    assert (chosen(order, pool, 100, 1)[1] != chosen(order, pool, 100, 2)[1]).any()


def test_a_shuffled_stream_is_that_of_published_figures() -> None:
    rng, other = np.random.default_rng(7), np.random.default_rng(7)
    drawn = Shuffled().choose(np.zeros(500, np.uint8), 100, np.arange(5), rng)
    assert (drawn == other.permutation(500)[:100]).all()


@given(seed=SEEDS, length=st.integers(1, 30))
def test_runs_have_their_length_and_every_round_all_classes(seed, length) -> None:
    pool = np.arange(1_000) % 5  # 200 of each: more than a stream takes
    _, indices = chosen(Runs(length), pool, 300, seed)
    rows = pool[indices][: 300 // (5 * length) * 5 * length].reshape(-1, 5, length)
    assert (rows == rows[:, :, :1]).all()
    for row in rows:
        assert sorted(row[:, 0]) == [0, 1, 2, 3, 4]


@given(pool=POOLS, seed=SEEDS)
def test_sorted_streams_have_each_class_once_and_in_the_order_of_the_ranking(pool, seed) -> None:
    ranking, indices = chosen(Sorted(), pool, len(pool), seed)
    came = np.array(pool)[indices]
    assert list(dict.fromkeys(came.tolist())) == [n for n in ranking.tolist() if n in pool]
    assert (np.diff(came) != 0).sum() == len(set(pool)) - 1


@pytest.mark.parametrize("images", [20_000, 50])
def test_half_of_the_classes_are_rare(images) -> None:
    """Also where images must come again."""
    pool = np.arange(images) % 10
    ranking, indices = chosen(Imbalanced(10), pool, 8_000, classes=10)
    counts = np.bincount(pool[indices], minlength=10)
    common, rare = counts[ranking[:5]], counts[ranking[5:]]
    assert common.sum() / rare.sum() == pytest.approx(10, rel=0.2)
    assert common.min() > 5 * rare.max()


def test_a_rare_class_stays_rare_in_every_part_of_a_stream() -> None:
    pool = np.arange(5_000) % 10
    rng = np.random.default_rng(3)
    ranking = rng.permutation(10)
    for _ in range(3):
        indices = Imbalanced(1e6).choose(pool, 200, ranking, rng)
        assert set(pool[indices].tolist()) <= set(ranking[:5].tolist())


def test_a_fifth_of_the_labels_is_wrong_and_each_wrong_one_as_likely() -> None:
    labels = np.full(20_000, 3, np.uint8)
    known = np.ones((20_000, 5), np.bool_)
    known[:, 4] = False
    told = NoisyLabels(0.2).tell(labels, known, np.random.default_rng(0))
    shares = np.bincount(told, minlength=5) / len(told)
    assert shares == pytest.approx([0.2 / 3, 0.2 / 3, 0.2 / 3, 0.8, 0], abs=0.01)
    assert told.dtype == np.uint8


@pytest.mark.parametrize("order", ORDERS[:-1])
def test_other_streams_tell_the_truth(order) -> None:
    labels = np.arange(5, dtype=np.uint8)
    assert order.tell(labels, np.ones((5, 5), np.bool_), np.random.default_rng(0)) is labels


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [(Runs, 0, "length"), (Imbalanced, 0.5, "ratio"), (NoisyLabels, 1.1, "share")],
)
def test_values_out_of_range_are_refused_by_name(kind, value, key) -> None:
    with pytest.raises(ValueError, match=rf"stream\.{key}: must be"):
        kind(value)
