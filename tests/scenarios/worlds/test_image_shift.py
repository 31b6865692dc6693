"""Images come to look otherwise at the right sample, in stream and scores alike."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.field import Field, Samples, divide, paired
from scenarios.run import report
from scenarios.streams.imbalanced import Imbalanced
from scenarios.streams.noisy_labels import NoisyLabels
from scenarios.streams.runs import Runs
from scenarios.streams.shuffled import Shuffled
from scenarios.worlds.image_shift import ImageShift

SMALL = ImageShift(samples=60, shift_at=20, repetitions=2, curve_images=30)
LATER = 1000.0
"""What a shift does to features here."""


def field_of(split: Samples) -> Field:
    later = Samples(split.features + LATER, split.labels)
    return paired(*(divide(each, 10, SMALL.samples, SMALL.curve_images) for each in (split, later)))


class Knowing:
    """A program that knows every image as it was, and of shifted ones those of classes that it was told."""

    def __init__(self, split: Samples) -> None:
        self.labels = {
            row.tobytes(): int(label)
            for row, label in zip(split.features, split.labels, strict=True)
        }
        self.reset()

    def reset(self) -> None:
        self.told: set[int] = set()

    def learn(self, features, label) -> None:
        if features[0] > LATER / 2:
            self.told.add(int(label))

    def predict(self, features):
        shifted = features[:, 0] > LATER / 2
        plain = np.where(shifted[:, None], features - np.float32(LATER), features)
        near = np.array([self._label(row) for row in plain])
        return np.where(shifted & ~np.isin(near, list(self.told)), 255, near)

    def _label(self, row) -> int:
        known = np.stack([np.frombuffer(key, np.float32) for key in self.labels])
        return list(self.labels.values())[int(np.abs(known - row).sum(axis=1).argmin())]


def test_figures_of_a_program_that_learns_class_by_class_are_exact(make_split) -> None:
    split = make_split(200, 5)
    found = report(SMALL, Shuffled(), Knowing(split), field_of(split), 0)
    figures = {name: figure.value for name, figure in found.figures.items()}
    score = divide(split, 10, SMALL.samples, SMALL.curve_images).score.labels
    ends = []
    for index in range(2):
        rng = np.random.default_rng((0, 0, index))
        stream = SMALL.stream(field_of(split).pool, 10, Shuffled(), rng)
        came = stream.samples.features[:, 0] > LATER / 2
        assert came.tolist() == [False] * 20 + [True] * 40
        ends.append(np.isin(score, stream.labels[20:]).mean())
    assert figures["end"] == pytest.approx(np.mean(ends))
    assert (figures["frozen_end"], figures["start"], figures["clean_end"]) == (0, 1, 1)
    assert figures["before"] == 1
    assert figures["lowest"] == pytest.approx(found.curves["shifted"][20])
    assert found.curves["clean"] == pytest.approx((1,) * 60)
    assert found.curves["shifted"][:20] == pytest.approx((0,) * 20)
    assert (found.pool_images, found.score_images) == (100, 100)


@pytest.mark.parametrize("order", [Shuffled(), Runs(5), Imbalanced(), NoisyLabels()])
def test_labels_stay_right_and_each_image_looks_one_way(order, make_split) -> None:
    split = make_split(100, 3)
    field = Field(split[:60], split[60:], 10)
    pool = paired(
        field,
        Field(*(Samples(s.features + LATER, s.labels) for s in (field.pool, field.score)), 10),
    ).pool
    stream = SMALL.stream(pool, 10, order, np.random.default_rng(1))
    known = {row.tobytes(): label for row, label in zip(split.features, split.labels, strict=True)}
    clean = stream.samples.features[:20]
    assert [known[row.tobytes()] for row in clean] == (stream.samples.labels[:20]).tolist()
    assert (stream.samples.labels[20:] >= 10).all()
    assert stream.labels.max() < 10
    if not isinstance(order, NoisyLabels):
        assert (stream.labels == stream.samples.labels % 10).all()


def test_what_is_left_open_is_filled_in_and_what_cannot_be_is_refused(counts) -> None:
    fitted = ImageShift(samples=0, shift_at=0).fitted(counts(), counts())
    assert fitted == ImageShift()
    few = counts(5, validation=50, test=40)
    small = ImageShift(samples=0, shift_at=0).fitted(few, few)
    assert (small.samples, small.shift_at, small.curve_images) == (20, 2, 20)
    small.check(few, few)
    many = counts(128, validation=5000, test=5000)
    with pytest.raises(ValueError, match=r"scenario: .*at most 127 classes; dataset has 128"):
        ImageShift().check(many, many)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"shift_at": -1}, "shift_at"),
        ({"shift_at": 800}, "shift_at"),
        ({"strength": 0}, "strength"),
        ({"strength": 1.1}, "strength"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(settings, key) -> None:
    with pytest.raises(ValueError, match=rf"scenario\.{key}: must be"):
        ImageShift(**settings)
