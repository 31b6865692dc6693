"""A new class starts as its mean and is replayed then; other buffers under the same learner."""

from __future__ import annotations

import numpy as np
import pytest

from tests.codegen.learners.conftest import (
    CLASSES,
    FEATURES,
    IMPRINT,
    IMPRINT_SAMPLES,
    KNOWN,
    Alarm,
    draw,
)


class Oracle:
    """In float64, from what was said of it; the buffer is per class."""

    def __init__(self, project) -> None:
        self.weights = np.zeros((CLASSES, FEATURES))
        self.bias = np.full(CLASSES, -np.inf)
        self.weights[:KNOWN], self.bias[:KNOWN] = project.head.weights, project.head.bias
        self.buffer, self.new = [], dict.fromkeys(range(KNOWN, CLASSES), 0)
        self.lengths = []

    def logits(self, x):
        return x @ self.weights.T + self.bias

    def learn(self, x, label) -> None:
        if len(self.buffer) == IMPRINT_SAMPLES:
            counts = np.bincount([y for _, y in self.buffer], minlength=CLASSES)
            loser = label if counts[label] == counts.max() else int(counts.argmax())
            del self.buffer[next(i for i, (_, y) in enumerate(self.buffer) if y == loser)]
        self.buffer.append((x, label))
        self.lengths.append(x @ x)
        if self.new.get(label, 2) < 2:
            self.new[label] += 1
            self.imprint(label)
        step = 0.5 / np.mean(self.lengths) / len(self.buffer)
        for sample, y in self.buffer:
            z = self.logits(sample)
            p = np.exp(z - z.max())
            delta = p / p.sum() - np.eye(CLASSES)[y]
            self.weights -= step * np.outer(delta, sample)
            self.bias -= 0.5 / len(self.buffer) / FEATURES * delta

    def forget(self, label) -> None:
        self.buffer = [(x, y) for x, y in self.buffer if y != label]
        self.bias[label], self.new[label] = -np.inf, 0

    def imprint(self, label) -> None:
        own = np.mean([x for x, y in self.buffer if y == label], axis=0)
        rest = [x for x, y in self.buffer if y != label]
        away = own - (np.mean(rest, axis=0) if rest else 0)
        others = [c for c in range(CLASSES) if c != label and np.isfinite(self.bias[c])]
        size = np.mean(np.sum(self.weights[others] ** 2, axis=1))
        self.weights[label] = away * np.sqrt(size / (away @ away))
        margin = self.weights[label] @ away / 2
        self.bias[label] = self.logits(own)[others].max() + margin - self.weights[label] @ own


@pytest.fixture(scope="module")
def built(build):
    return build(IMPRINT, "int8", IMPRINT_SAMPLES)


def learn(built, features, labels) -> None:
    for sample, label in zip(features, labels, strict=True):
        built.model.learn(sample, int(label))


def stream(count):
    features, labels = draw(count, 8, "int8", CLASSES)
    labels[: count // 4] %= KNOWN
    return features, labels


def test_it_follows_the_oracle(built) -> None:
    """Also where two classes that the factory knew swap their places in the end."""
    built.model.reset()
    oracle, alarm = Oracle(built.project), Alarm(built.project.learner.alarm)
    features, labels = stream(160)
    labels[120:] = np.array([3, 1, 2, 0, 4, 5, 6])[labels[120:]]
    probe = draw(30, 9, "int8", CLASSES)[0]
    for number, (sample, label) in enumerate(zip(features, labels, strict=True), 1):
        learn(built, [sample], [label])
        alarm.learn(oracle, built.real(sample), int(label))
        if number % 10 == 0:
            expected = oracle.logits(built.real(probe))
            known = np.isfinite(oracle.bias)
            found = built.model.logits(probe)
            size = np.abs(expected[:, known]).max()
            np.testing.assert_allclose(found[:, known], expected[:, known], atol=1e-4 * size)
            assert not np.isin(built.model.predict(probe), np.flatnonzero(~known)).any()
    assert known.all()
    assert alarm.rang >= 2


def test_a_class_is_known_after_its_first_sample(built) -> None:
    built.model.reset()
    features, labels = draw(60, 11, "int8", CLASSES)
    old, new = features[labels < KNOWN], features[labels == KNOWN]
    learn(built, old, labels[labels < KNOWN])
    assert not (built.model.predict(features) >= KNOWN).any()
    learn(built, new[:1], [KNOWN])
    assert built.model.predict(new[:1]) == KNOWN


def test_from_a_blank_head_classes_are_known_after_a_sample_each(built) -> None:
    """As where a device is given another task."""
    built.model.reset()
    blank = np.zeros((CLASSES, FEATURES), np.float32)
    built.model.set_head(blank, np.full(CLASSES, -1e24, np.float32))
    features, labels = draw(60, 13, "int8", CLASSES)
    for label in (KNOWN, KNOWN + 1):  # those whose columns are set
        learn(built, features[labels == label][:1], [label])
    both = labels >= KNOWN
    assert np.mean(built.model.predict(features[both]) == labels[both]) > 0.8


def test_what_is_saved_tells_which_classes_are_new(built) -> None:
    """After a restart the buffer is empty: a class that was imprinted is not set anew from nothing."""
    built.model.reset()
    learn(built, *stream(60))
    state = built.model.state()
    built.model.reset()
    built.model.set_state(state)
    features, labels = draw(50, 12, "int8", CLASSES)
    before = built.model.head()[0][KNOWN:].copy()
    learn(built, features[labels == KNOWN][:1], [KNOWN])
    after = built.model.head()[0][KNOWN:]
    assert np.abs(after - before).max() < 0.5 * np.abs(before).max()


def test_what_is_refused_changes_nothing(built) -> None:
    built.model.reset()
    learn(built, *stream(30))
    before = built.model.state()
    row = np.zeros(FEATURES, np.int8)
    assert built.model._library.tinyml_learn(built.model._model, row.ctypes.data, CLASSES) == 1
    np.testing.assert_array_equal(built.model.state(), before)
    assert built.model.buffer_count == IMPRINT_SAMPLES
