"""Replay whose alarm rings drops what its buffer has of the class, and the class's weights with it."""

from __future__ import annotations

import numpy as np

from codegen.learners.tybox import Tybox
from tests.codegen.learners.conftest import CLASSES, FEATURES, KNOWN, Alarm, draw

RATE, SAMPLES = 0.5, 12
LEARNER = Tybox(RATE, max_classes=CLASSES, alarm=2.0)


class Oracle:
    """In float64, first in first out."""

    def __init__(self, head) -> None:
        self.weights = np.zeros((CLASSES, FEATURES))
        self.bias = np.full(CLASSES, -np.inf)
        self.weights[:KNOWN], self.bias[:KNOWN] = head.weights, head.bias
        self.buffer, self.lengths = [], []

    def logits(self, x):
        return x @ self.weights.T + self.bias

    def learn(self, x, label) -> None:
        self.buffer = [*self.buffer, (x, label)][-SAMPLES:]
        self.lengths.append(x @ x)
        step = RATE / np.mean(self.lengths) / len(self.buffer)
        for sample, y in self.buffer:
            z = self.logits(sample)
            p = np.exp(z - z.max())
            delta = p / p.sum() - np.eye(CLASSES)[y]
            self.weights -= step * np.outer(delta, sample)
            self.bias -= RATE / len(self.buffer) / FEATURES * delta

    def forget(self, label) -> None:
        self.buffer = [(x, y) for x, y in self.buffer if y != label]
        self.weights[label] = 0
        others = np.isfinite(self.bias)
        others[label] = False
        self.bias[label] = self.bias[others].mean()


def test_it_follows_the_oracle(build) -> None:
    built = build(LEARNER, "int8", SAMPLES)
    oracle, alarm = Oracle(built.project.head), Alarm(LEARNER.alarm)
    features, labels = draw(140, 8, "int8", KNOWN)
    labels[80:] = np.array([3, 1, 2, 0, 4])[labels[80:]]
    probe = draw(30, 9, "int8", KNOWN)[0]
    for number, (sample, label) in enumerate(zip(features, labels, strict=True), 1):
        built.model.learn(sample, int(label))
        alarm.learn(oracle, built.real(sample), int(label))
        assert built.model.buffer_count == len(oracle.buffer)
        if number % 10 == 0:
            found, expected = built.model.logits(probe), oracle.logits(built.real(probe))
            size = np.abs(expected[:, :KNOWN]).max()
            np.testing.assert_allclose(found[:, :KNOWN], expected[:, :KNOWN], atol=1e-4 * size)
    assert alarm.rang >= 2
