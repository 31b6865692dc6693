"""The drift comes at the right sample, in stream and scores alike, and learning recovers from it."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.field import divide
from scenarios.run import report
from scenarios.streams.runs import Runs
from scenarios.streams.shuffled import Shuffled
from scenarios.worlds.concept_drift import ConceptDrift

SMALL = ConceptDrift(samples=60, drift_at=20, repetitions=2, curve_images=30)
SWAPPED = np.array([0, 1, 2, 3, 6, 5, 4, 7, 8, 9])


def driven(world, driver, split, seed=0, order=None):
    field = divide(split, 10, world.samples, world.curve_images)
    return report(world, order or Shuffled(), driver, field, seed)


def test_the_thesis_setting_is_the_default() -> None:
    drift = ConceptDrift()
    assert (drift.samples, drift.drift_at, drift.swapped, drift.curve_images) == (
        800,
        100,
        (4, 6),
        200,
    )
    assert (drift.transition, drift.period) == (0, None)


def test_the_new_meaning_comes_abruptly_slowly_or_again_and_again() -> None:
    assert ConceptDrift(samples=5, drift_at=2).share().tolist() == [0, 0, 1, 1, 1]
    gradual = ConceptDrift(samples=7, drift_at=2, transition=3)
    assert gradual.share().tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1]
    recurring = ConceptDrift(samples=8, drift_at=2, period=2)
    assert recurring.share().tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    both = ConceptDrift(samples=8, drift_at=1, period=3, transition=1)
    assert both.share().tolist() == [0, 0.5, 1, 1, 0.5, 0, 0, 0.5]


@pytest.mark.parametrize("order", [Shuffled(), Runs(4)])
def test_labels_are_swapped_from_the_drift_on_and_not_before(order, make_split) -> None:
    split = make_split(200, 5)
    stream = SMALL.stream(split, 10, order, np.random.default_rng(3))
    true = {row.tobytes(): label for row, label in zip(split.features, split.labels, strict=True)}
    right = np.array([true[row.tobytes()] for row in stream.samples.features])
    assert (stream.samples.labels == right).all()
    assert (stream.labels[:20] == right[:20]).all()
    assert (stream.labels[20:] == SWAPPED[right[20:]]).all()
    assert (stream.labels != right).any()


def test_a_slow_drift_tells_both_meanings_while_it_lasts(make_split) -> None:
    world = ConceptDrift(
        samples=1_000, drift_at=100, transition=800, swapped=(0, 1), curve_images=1
    )
    split = make_split(4_000, 5)
    stream = world.stream(split, 10, Shuffled(), np.random.default_rng(0))
    could = np.isin(stream.samples.labels, (0, 1))
    swapped = stream.labels != stream.samples.labels
    shares = [
        swapped[part][could[part]].mean()
        for part in (slice(100), slice(400, 600), slice(910, 1_000))
    ]
    assert shares[0] == 0
    assert 0.2 < shares[1] < 0.8
    assert shares[2] == 1


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
    found = driven(SMALL, Constant(split), split)
    score = divide(split, 10, 60, 30).score.labels
    kept = 1 - np.isin(score, (4, 6)).mean()
    kept_curve = 1 - np.isin(score[:30], (4, 6)).mean()
    figures = {name: figure.value for name, figure in found.figures.items()}
    assert figures == pytest.approx(
        {
            "start": 1,
            "before": 1,
            "end": kept,
            "frozen_end": kept,
            "end_as_published": kept_curve,
            "lowest": kept_curve,
            "recovered": 0,
        }
    )
    assert found.figures["end"].deviation == 0
    assert found.curves["all"] == pytest.approx((1,) * 20 + (kept_curve,) * 40)
    assert found.ends["all"] == pytest.approx((kept, kept))
    assert (found.pool_images, found.score_images) == (100, 100)


def test_a_slow_drift_is_scored_by_the_mean_of_both_meanings(make_split) -> None:
    split = make_split(200, 5)
    world = ConceptDrift(samples=60, drift_at=20, transition=19, repetitions=1, curve_images=30)
    found = driven(world, Constant(split), split)
    lost = np.isin(divide(split, 10, 60, 30).score.labels[:30], (4, 6)).mean()
    expected = 1 - lost * np.clip((np.arange(60) - 19) / 20, 0, 1)
    assert found.curves["all"] == pytest.approx(expected)


def test_learning_recovers_and_a_frozen_head_does_not(make_driver, make_split) -> None:
    """Under the thesis's own setting the learner ends well above the head that never learns."""
    found = driven(ConceptDrift(repetitions=2), make_driver(rate=0.1), make_split(1_000, 5)).figures
    assert found["start"].value > 0.9
    assert found["frozen_end"].value < found["start"].value - 0.15
    assert found["lowest"].value < found["before"].value - 0.1
    assert found["end"].value > found["frozen_end"].value + 0.1
    assert found["recovered"].value == 1
    assert 1 < found["recovered_after"].value < 700


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"drift_at": 0}, "drift_at"),
        ({"drift_at": 800}, "drift_at"),
        ({"swapped": (4, 4)}, "swapped"),
        ({"swapped": (-1, 4)}, "swapped"),
        ({"transition": 700}, "transition"),
        ({"transition": -1}, "transition"),
        ({"period": 0}, "period"),
        ({"period": 10, "transition": 10}, "transition"),
        ({"repetitions": 0}, "repetitions"),
        ({"tuning_repetitions": 0}, "tuning_repetitions"),
        ({"curve_images": 0}, "curve_images"),
        ({"samples": 0}, "samples"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(settings, key: str) -> None:
    with pytest.raises(ValueError, match=rf"scenario\.{key}: must be"):
        ConceptDrift(**settings)


def test_a_data_set_is_refused_before_any_work(counts) -> None:
    ConceptDrift().check(counts(7), counts(7))
    with pytest.raises(ValueError, match=r"scenario\.swapped: .* 0 to 5; got \[4, 6\]"):
        ConceptDrift().check(counts(6), counts(6))
    for smaller in ({"validation": 999, "test": 5_000}, {"validation": 5_000, "test": 999}):
        with pytest.raises(ValueError, match=r"scenario\.samples: .*there are 999"):
            ConceptDrift().check(counts(10, **smaller), counts(10, **smaller))
    with pytest.raises(ValueError, match=r"scenario: .*dataset@field must have the classes"):
        ConceptDrift().check(counts(10), counts(10, first=3))
