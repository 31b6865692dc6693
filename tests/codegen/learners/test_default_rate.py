"""One default learning rate for features of any size and buffers of any length: it gets over a drift."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.learners.tybox import Tybox
from tests.codegen.learners.conftest import FEATURES, KNOWN

SWAPPED = np.array([0, 3, 2, 1, 4])


@pytest.fixture(scope="module", params=[1, 40])
def model(request, build):
    return build(Tybox(), "float32", request.param).model


def samples(size: float, offset: float, count: int, seed: int):
    """Classes that lie apart by their own width, of any size, around any point."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(0, 1.5, (KNOWN, FEATURES))
    labels = rng.integers(0, KNOWN, count)
    features = centres[labels] + rng.normal(0, 1, (count, FEATURES)) + offset
    return (size * features).astype(np.float32), labels


def trained_head(size: float, offset: float):
    """The discriminant of these classes: a head as training gives it, logits of a few units."""
    features, labels = samples(size, offset, 500, seed=2)
    means = np.stack([features[labels == c].mean(axis=0) for c in range(KNOWN)]) / size
    centre = means.mean(axis=0)
    weights = 0.3 * (means - centre) / size
    bias = -0.15 * np.sum((means - centre) ** 2, axis=1) - weights @ (size * centre)
    return weights.astype(np.float32), bias.astype(np.float32)


@pytest.mark.parametrize(("size", "offset"), [(0.01, 0.0), (1.0, 1.0), (1000.0, 0.0)])
def test_a_swap_of_two_classes_is_learned_within_200_labels(model, size, offset) -> None:
    probe, truth = samples(size, offset, 400, seed=3)
    model.reset()
    model.set_head(*trained_head(size, offset))
    before = np.mean(model.predict(probe) == truth)
    after_swap = np.mean(model.predict(probe) == SWAPPED[truth])
    for sample, label in zip(*samples(size, offset, 200, seed=4), strict=True):
        model.learn(sample, int(SWAPPED[label]))
    assert before > 0.85
    assert after_swap < before - 0.3
    assert np.mean(model.predict(probe) == SWAPPED[truth]) > before - 0.05


@pytest.mark.parametrize("size", [0.01, 1000.0])
def test_new_classes_are_learned_nearly_as_a_ridge_regression_does(model, size) -> None:
    probe, truth = samples(size, 0.5, 400, seed=5)
    features, labels = samples(size, 0.5, 300, seed=6)
    model.reset()
    model.set_head(np.zeros((KNOWN, FEATURES), np.float32), np.zeros(KNOWN, np.float32))
    for sample, label in zip(features, labels, strict=True):
        model.learn(sample, int(label))
    inputs = np.column_stack([features / size, np.ones(len(features))])
    ridge = np.linalg.solve(
        inputs.T @ inputs + 0.1 * np.eye(inputs.shape[1]), inputs.T @ np.eye(KNOWN)[labels]
    )
    best = np.column_stack([probe / size, np.ones(len(probe))]) @ ridge
    reached = np.mean(best.argmax(axis=1) == truth)
    assert np.mean(model.predict(probe) == truth) > reached - 0.05
