"""Classes that join, another task, and no change at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.field import Field, Samples, divide
from scenarios.run import report
from scenarios.streams.imbalanced import Imbalanced
from scenarios.streams.noisy_labels import NoisyLabels
from scenarios.streams.runs import Runs
from scenarios.streams.shuffled import Shuffled
from scenarios.streams.sorted import Sorted
from scenarios.worlds.class_incremental import ClassIncremental
from scenarios.worlds.concept_drift import ConceptDrift
from scenarios.worlds.stationary import Stationary
from scenarios.worlds.transfer import Transfer

SMALL = {"samples": 60, "repetitions": 2, "curve_images": 30}
ORDERS = (Shuffled(), Runs(5), Sorted(), Imbalanced(), NoisyLabels())
WORLDS = (
    ClassIncremental(join_at=20, **SMALL),
    ConceptDrift(drift_at=20, **SMALL),
    Transfer(**SMALL),
    Stationary(**SMALL),
)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("world", WORLDS)
def test_every_world_goes_with_every_order(world, order, make_driver, make_split) -> None:
    """On the smallest pool that there may be: a stream takes all of it."""
    split = make_split(200, 5)
    field = Field(split[:60], split[100:], 10)
    driver, same, other = make_driver(), make_driver(), make_driver()
    found = report(world, order, driver, field, 1)
    assert found.figures["end"].n == 2
    for name, curve in found.curves.items():
        assert len(curve) == 60
        assert len(found.ends[name]) == 2
        assert 0 <= min(curve) <= max(curve) <= 1
    assert report(world, order, same, field, 1) == found
    report(world, order, other, field, 2)
    assert driver.learned == same.learned != other.learned


@pytest.mark.parametrize("order", ORDERS)
def test_new_classes_come_only_when_they_join(order, make_split) -> None:
    world = WORLDS[0]
    for seed in range(5):
        stream = world.stream(make_split(100, 5), 10, order, np.random.default_rng(seed))
        assert stream.labels[:20].max() < 8
        assert stream.samples.labels[:20].max() < 8
    rows = [row.tobytes() for row in stream.samples.features]
    assert len(set(rows)) == len(rows) or isinstance(order, Imbalanced)
    many = world.stream(make_split(1_000, 5), 10, Shuffled(), np.random.default_rng(0))
    assert np.isin(many.labels[20:], (8, 9)).any()


def test_old_and_new_classes_are_scored_apart(make_split) -> None:
    """By a program that says what it was told last: exact."""

    class Last:
        def reset(self) -> None:
            self.said = 0

        def learn(self, features, label) -> None:
            self.said = label

        def predict(self, features):
            return np.full(len(features), self.said)

    split = make_split(200, 5)
    world = WORLDS[0]
    field = divide(split, 10, 60, 30)
    found = report(world, Sorted(), Last(), field, 0)
    score = field.score.labels
    for index in range(2):
        rng = np.random.default_rng((0, 0, index))
        last = world.stream(field.pool, 10, Sorted(), rng).labels[-1]
        expected = {
            "all": (score == last).mean(),
            "new": (score[score >= 8] == last).mean(),
            "old": (score[score < 8] == last).mean(),
        }
        assert {name: ends[index] for name, ends in found.ends.items()} == pytest.approx(expected)
    assert found.figures["new_end"].value == pytest.approx(np.mean(found.ends["new"]))
    assert found.figures["old_start"].value == pytest.approx((score[score < 8] == 0).mean())


def test_the_first_head_knows_the_old_classes_alone(counts) -> None:
    world = ClassIncremental(joining=(5, 4))
    field = counts(6)
    assert world.rows(field, field) == (0, 1, 2, 3)
    honest = counts(4)
    honest.class_names = tuple(field.class_names[number] for number in (2, 0, 3, 1))
    assert world.rows(honest, field) == (1, 3, 0, 2)
    world.check(honest, field)
    assert world.new_classes(field) == (5, 4)
    assert Transfer().rows(field, counts(6, first=10)) == ()
    assert Stationary().rows(field, field) == tuple(range(6))
    assert Stationary().new_classes(field) == ()


def test_data_sets_that_do_not_go_are_refused_by_their_key(counts) -> None:
    ten = counts(10)
    with pytest.raises(ValueError, match=r"scenario\.joining: .* 0 to 8 .*; got \[8, 9\]"):
        ClassIncremental().check(counts(9), counts(9))
    with pytest.raises(ValueError, match=r"scenario\.joining: .* last of .*; got \[2, 9\]"):
        ClassIncremental(joining=(2, 9)).check(ten, ten)
    with pytest.raises(ValueError, match=r"scenario\.joining: the network must know"):
        ClassIncremental().check(counts(7), ten)
    with pytest.raises(ValueError, match=r"scenario\.join_at: must be at most 560"):
        ClassIncremental(join_at=561).check(ten, ten)
    with pytest.raises(ValueError, match=r"scenario: transfer needs .*imagenette.* class 9 too"):
        Transfer().check(ten, counts(10, first=9))
    other = counts(10, first=20, train=699)
    with pytest.raises(ValueError, match=r"scenario\.samples: must be at most 699"):
        Transfer().check(ten, other)
    with pytest.raises(ValueError, match=r"scenario\.curve_images: must be at most 150"):
        Transfer().check(ten, counts(10, first=20, test=150))
    with pytest.raises(ValueError, match=r"scenario\.samples: .*there are 800"):
        Transfer().check(ten, counts(10, first=20, validation=800))
    Transfer().check(ten, counts(10, first=20))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"join_at": -1}, "join_at"),
        ({"join_at": 700}, "join_at"),
        ({"samples": -1}, "samples"),
        ({"joining": (8, 8)}, "joining"),
        ({"joining": (-1,)}, "joining"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(settings, key) -> None:
    with pytest.raises(ValueError, match=rf"scenario\.{key}: must "):
        ClassIncremental(**settings)


OPEN = ClassIncremental(samples=0, join_at=0, joining=())


def test_what_is_left_open_is_the_thesis_s_where_there_are_images_for_it(counts) -> None:
    assert OPEN.fitted(counts(), counts()) == ClassIncremental()
    honest = counts(8)
    assert OPEN.fitted(honest, counts()) == ClassIncremental()
    assert Stationary(samples=0).fitted(honest, honest) == Stationary()
    asked = ClassIncremental(samples=50, join_at=20, joining=(9,))
    assert asked.fitted(counts(), counts()) == asked


@given(
    classes=st.integers(3, 20),
    known=st.integers(2, 20),
    images=st.integers(0, 3),
    seen=st.booleans(),
)
def test_classes_join_whatever_their_number_and_however_few_images(
    counts, classes: int, known: int, images: int, seen: bool
) -> None:
    """From two images of a class in each split, a network that knows some of the classes or all of them."""
    count = 2 * classes + images * classes
    field = counts(classes, validation=count, test=count)
    data = field if seen else counts(min(known, classes - 1))
    world = OPEN.fitted(data, field)
    world.check(data, field)
    new = world.new_classes(field)
    assert new == tuple(range(classes - len(new), classes))
    if seen:
        assert len(new) == max(1, classes // 5)
    else:
        assert classes - len(new) == data.classes
    labels = np.random.default_rng(count).permutation(count) % classes
    split = Samples(np.arange(count, dtype=np.float32)[:, None], labels.astype(np.uint8))

    class First:
        def reset(self) -> None:
            """Nothing to forget."""

        def learn(self, features, label) -> None:
            """Nothing to learn."""

        def predict(self, features):
            return np.zeros(len(features), np.uint8)

    world = replace(world, repetitions=1)
    field = divide(split, classes, world.samples, world.curve_images)
    found = report(world, Shuffled(), First(), field, 0)
    assert found.figures["new_end"].value == 0
    assert found.figures["old_end"].value > 0


def test_a_class_with_one_image_in_a_split_is_refused_by_its_name(counts) -> None:
    few = counts(10, test=19, validation=20)
    with pytest.raises(
        ValueError, match=r"scenario: needs at least 2 images .*class 0 has 1 in test"
    ):
        replace(Stationary(samples=0).fitted(few, few)).check(few, few)
