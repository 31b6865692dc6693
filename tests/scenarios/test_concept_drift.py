"""The drift comes at the right sample, in stream and scores alike, and learning recovers from it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from scenarios.concept_drift import ConceptDrift
from scenarios.stream import divide

SMALL = ConceptDrift(samples=60, drift_at=20, repetitions=2, curve_images=30)


def test_the_thesis_setting_is_the_default() -> None:
    assert ConceptDrift() == ConceptDrift(800, 100, (4, 6), 5, 200)


def test_labels_swap_at_the_drift_and_not_before() -> None:
    labels = np.array([0, 4, 6, 9, 4], np.uint8)
    drift = ConceptDrift()
    assert drift.labels_at(labels, 99).tolist() == [0, 4, 6, 9, 4]
    assert drift.labels_at(labels, 100).tolist() == [0, 6, 4, 9, 6]
    assert drift.labels_at(labels, 100).dtype == np.uint8


def test_the_program_is_told_swapped_labels_from_sample_20_on(make_driver, make_split) -> None:
    split = make_split(200, 5)
    pairs = zip(split.features, split.labels.tolist(), strict=True)
    true = {row.tobytes(): label for row, label in pairs}
    driver = make_driver()
    SMALL.run(driver, split, seed=0)
    assert len(driver.learned) == 120
    swapped = {4: 6, 6: 4}
    drifted = 0
    for index, (sample, label) in enumerate(driver.learned):
        before = index % 60 < 20
        expected = true[sample] if before else swapped.get(true[sample], true[sample])
        assert label == expected
        drifted += expected != true[sample]
    assert drifted > 0
    pool = {row.tobytes() for row in divide(split, 60, 30).pool.features}
    assert {sample for sample, _ in driver.learned} <= pool
    first, second = driver.learned[:60], driver.learned[60:]
    assert [sample for sample, _ in first] != [sample for sample, _ in second]


class Constant:
    """A program that always knows the original labels and never learns."""

    def __init__(self, split) -> None:
        self.labels = {
            row.tobytes(): label for row, label in zip(split.features, split.labels, strict=True)
        }

    def reset(self) -> None:
        """Nothing to forget."""

    def learn(self, features, label) -> None:
        """Nothing to learn."""

    def predict(self, features):
        return np.array([self.labels[row.tobytes()] for row in features])


def test_figures_of_a_program_that_never_learns_are_exact(make_split) -> None:
    """A perfect frozen head loses exactly the share of the two classes at the drift."""
    split = make_split(200, 5)
    result = SMALL.run(Constant(split), split, seed=0)
    score = split.labels[100:]
    kept = 1 - np.isin(score, (4, 6)).mean()
    kept_curve = 1 - np.isin(score[:30], (4, 6)).mean()
    assert result.frozen_before == 1
    assert result.frozen_end == pytest.approx(kept)
    assert result.end == pytest.approx((kept, kept))
    assert result.end_deviation == 0
    assert result.curve[:20] == (1,) * 20
    assert result.curve[20:] == pytest.approx((kept_curve,) * 40)
    assert result.before_drift == 1
    assert result.lowest == pytest.approx(kept_curve)
    assert (result.score_images, result.curve_images, result.seed) == (100, 30, 0)


def test_learning_recovers_and_a_frozen_head_does_not(make_driver, make_split) -> None:
    """Under the thesis's own setting the learner ends well above the head that never learns."""
    result = ConceptDrift(repetitions=2).run(make_driver(rate=0.1), make_split(1_000, 5), seed=0)
    assert result.frozen_before > 0.9
    assert result.frozen_end < result.frozen_before - 0.15
    assert result.lowest < result.before_drift - 0.1
    assert result.end_mean > result.frozen_end + 0.1
    assert len(result.curve) == 800
    assert result.score_images == 200


def test_end_is_the_last_point_where_all_score_images_are_watched(make_driver, make_split) -> None:
    drift = ConceptDrift(samples=60, drift_at=20, repetitions=1, curve_images=100)
    result = drift.run(make_driver(), make_split(200, 5), seed=0)
    assert result.score_images == 100
    assert result.end == pytest.approx((result.curve[-1],))


def test_one_seed_gives_one_result(make_driver, make_split) -> None:
    split = make_split(200, 5)
    driver, other = make_driver(), make_driver()
    first = SMALL.run(driver, split, seed=1)
    assert SMALL.run(driver, split, seed=1) == first
    assert driver.learned[:120] == driver.learned[120:]
    SMALL.run(other, split, seed=2)
    assert other.learned != driver.learned[:120]


def test_learners_are_compared_on_the_same_streams(make_driver, make_split) -> None:
    split = make_split(200, 5)
    one, many = make_driver(buffer_samples=1), make_driver(buffer_samples=20, rate=0.005)
    SMALL.run(one, split, seed=1)
    SMALL.run(many, split, seed=1)
    assert one.learned == many.learned


def test_the_result_is_json(make_driver, make_split) -> None:
    result = SMALL.run(make_driver(), make_split(200, 5), seed=1)
    assert json.loads(json.dumps(dataclasses.asdict(result)))["samples"] == 60


def test_progress_counts_streams(make_driver, make_split) -> None:
    calls: list[tuple[int, int]] = []
    SMALL.run(make_driver(), make_split(200, 5), 0, lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"drift_at": 0}, "drift_at"),
        ({"drift_at": 800}, "drift_at"),
        ({"swapped": (4, 4)}, "swapped"),
        ({"swapped": (-1, 4)}, "swapped"),
        ({"repetitions": 0}, "repetitions"),
        ({"curve_images": 0}, "curve_images"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(settings, key: str) -> None:
    with pytest.raises(ValueError, match=rf"scenario\.{key}: must be"):
        ConceptDrift(**settings)


def test_a_class_that_the_data_lack_is_refused(make_driver, make_split) -> None:
    with pytest.raises(ValueError, match=r"scenario\.swapped: .* 0 to 9; got \[4, 10\]"):
        ConceptDrift(samples=60, drift_at=20, swapped=(4, 10), curve_images=30).run(
            make_driver(), make_split(200, 5), 0
        )


def test_a_data_set_can_be_refused_before_any_work() -> None:
    ConceptDrift().check(Counts(7, validation=1_000, test=1_000))
    with pytest.raises(ValueError, match=r"scenario\.swapped: .* 0 to 5; got \[4, 6\]"):
        ConceptDrift().check(Counts(6, validation=1_000, test=1_000))
    for smaller in ({"validation": 999, "test": 5_000}, {"validation": 5_000, "test": 999}):
        with pytest.raises(ValueError, match=r"scenario\.samples: .*there are 999"):
            ConceptDrift().check(Counts(10, **smaller))


class Counts:
    """A data set of which nothing but its size is known."""

    def __init__(self, classes: int, **images: int) -> None:
        self.classes, self._images = classes, images

    def count(self, name: str) -> int:
        return self._images[name]


def test_too_small_a_split_is_refused_before_any_learning(make_driver, make_split) -> None:
    driver = make_driver()
    with pytest.raises(ValueError, match="there are 200"):
        ConceptDrift().run(driver, make_split(200, 5), 0)
    assert not driver.learned
