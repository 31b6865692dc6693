"""The heads that keep statistics, against NumPy from their definitions: nothing recursive, nothing factored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codegen.learners.lda import Lda
from codegen.learners.ncm import Ncm
from codegen.learners.online_lda import OnlineLda
from codegen.learners.rls import Rls
from tests.codegen.learners.conftest import (
    CLASSES,
    CLOSED_FORMS,
    FEATURES,
    KNOWN,
    SHRINKAGE,
    Alarm,
    draw,
    moments,
)


class Means:
    """Class means that forget, in the metric of a covariance that may be learnt too."""

    def __init__(self, learner, statistics, metric: str) -> None:
        self.unit, self.learner, self.metric = statistics.unit, learner, metric
        self.centre = statistics.mean
        self.means = {c: self.unit * (m - self.centre) for c, m in enumerate(statistics.means)}
        self.counts = dict.fromkeys(self.means, learner.prior_samples)
        within = self.unit**2 * statistics.within
        size = np.trace(within) / FEATURES
        self.covariance = within + SHRINKAGE * size * np.eye(FEATURES)
        if metric == "none":
            self.covariance = np.eye(FEATURES)

    def learn(self, x, label) -> None:
        x = self.unit * (x - self.centre)
        if label not in self.means:
            self.means[label], self.counts[label] = x, 1
            return
        rate = max(1 / (self.counts[label] + 1), 1 / self.learner.memory)
        d = x - self.means[label]
        if self.metric == "learnt":
            share = 1 / self.learner.covariance_memory
            new = (1 - rate) * np.outer(d, d)
            self.covariance = (1 - share) * self.covariance + share * new
        self.means[label] = self.means[label] + rate * d
        self.counts[label] += 1

    def forget(self, label) -> None:
        del self.means[label], self.counts[label]

    def logits(self, x):
        """Half the difference of squared distances: what all classes share is left out."""
        out = np.full((len(x), CLASSES), -np.inf)
        metric = np.linalg.inv(self.covariance)
        for c, mean in self.means.items():
            out[:, c] = self.unit * (x - self.centre) @ metric @ mean - mean @ metric @ mean / 2
        return out


class Ridge:
    """The regression on one-hot labels of all samples, each with its weight."""

    def __init__(self, learner, statistics, project) -> None:
        self.unit, self.learner = statistics.unit, learner
        head = project.learner.factory(project.head.weights, project.head.bias, CLASSES, statistics)
        self.centre = statistics.mean
        first = np.zeros((FEATURES + 1, CLASSES))
        first[:-1, :KNOWN] = head.weights[:KNOWN].T / self.unit
        first[-1, :KNOWN] = head.bias[:KNOWN] + head.weights[:KNOWN] @ self.centre
        moment = np.eye(FEATURES + 1)
        covariance = statistics.second - np.outer(self.centre, self.centre)
        moment[:-1, :-1] = self.unit**2 * covariance
        size = np.trace(moment) / len(moment)
        prior = moment + SHRINKAGE * size * np.eye(len(moment))
        self.moment = learner.prior_samples * prior
        self.target = self.moment @ first
        self.counts = np.where(np.arange(CLASSES) < KNOWN, learner.prior_samples, 0.0)

    def learn(self, x, label) -> None:
        x, kept = np.append(self.unit * (x - self.centre), 1), 1 - 1 / self.learner.memory
        self.counts *= kept
        self.counts[label] += 1
        seen = self.counts > 0
        weight = min(self.counts.sum() / (seen.sum() * self.counts[label]), 10)
        self.moment = kept * self.moment + weight * np.outer(x, x)
        self.target = kept * self.target + weight * np.outer(x, np.eye(CLASSES)[label])

    def forget(self, label) -> None:
        self.target[:, label] = self.counts[label] = 0

    def logits(self, x):
        solved = np.linalg.solve(self.moment, self.target)
        out = np.column_stack([self.unit * (x - self.centre), np.ones(len(x))]) @ solved
        return np.where(self.counts > 0, out, -np.inf)


def oracle_of(name, built, dtype):
    statistics = moments(dtype)
    if name == "rls":
        return Ridge(built.project.learner, statistics, built.project)
    metric = {"ncm": "none", "lda": "frozen", "online_lda": "learnt"}[name]
    return Means(built.project.learner, statistics, metric)


@pytest.fixture(params=CLOSED_FORMS)
def case(request, build):
    learner, dtype = CLOSED_FORMS[request.param]
    built = build(learner, dtype)
    built.model.reset()
    return request.param, built, dtype


def stream(dtype, count=260):
    """Known classes, then two more: one of them late, and the other's label is larger; at last two are swapped."""
    features, labels = draw(count, 8, dtype, CLASSES - 1)
    labels[: count // 3] %= KNOWN
    late = np.arange(count) > 2 * count // 3
    labels[late & (labels == 1)] = CLASSES - 1
    last = np.arange(count) > 3 * count // 4
    labels[last] = np.array([3, 1, 2, 0, 4, 5, 6])[labels[last]]
    return features, labels


def test_it_follows_the_oracle_sample_by_sample(case) -> None:
    name, built, dtype = case
    oracle, alarm = oracle_of(name, built, dtype), Alarm(built.project.learner.alarm)
    features, labels = stream(dtype)
    probe = draw(40, 9, dtype, CLASSES)[0]
    for number, (sample, label) in enumerate(zip(features, labels, strict=True)):
        if number % 20 == 0:
            expected = oracle.logits(built.real(probe))
            known = np.isfinite(expected).all(axis=0)
            found = built.model.logits(probe)
            size = np.abs(expected[:, known]).max()
            np.testing.assert_allclose(found[:, known], expected[:, known], atol=5e-4 * size)
            assert not np.isin(built.model.predict(probe), np.flatnonzero(~known)).any()
        built.model.learn(sample, int(label))
        alarm.learn(oracle, built.real(sample), int(label))
    assert known.all(), "both new classes were learned"
    assert (alarm.rang >= 1) == (built.project.learner.alarm is not None)


def test_how_much_the_factory_counts_may_be_set_before_the_first_sample(build) -> None:
    """As if the program had been generated with it."""
    learner, dtype = CLOSED_FORMS["rls"]
    built = build(learner, dtype)
    built.model.reset()
    built.model.set_knob("prior_samples", 7.5)
    built.model.set_knob("alarm", 1e6)
    other = replace(built.project, learner=replace(learner, prior_samples=7.5))
    oracle = Ridge(other.learner, moments(dtype), other)
    features, labels = stream(dtype)
    for sample, label in zip(features, labels, strict=True):
        built.model.learn(sample, int(label))
        oracle.learn(built.real(sample), int(label))
    expected = oracle.logits(built.real(features))
    size = np.abs(expected).max()
    np.testing.assert_allclose(built.model.logits(features), expected, atol=5e-4 * size)


def test_the_first_day_loses_nothing(case) -> None:
    """Means give what they say of the training data; least squares, the very predictions of the factory."""
    name, built, dtype = case
    features, labels = draw(400, 1, dtype, KNOWN)
    predicted = built.model.predict(features)
    if name == "rls":
        head = built.project.head
        logits = built.real(features) @ head.weights.T + head.bias
        np.testing.assert_array_equal(predicted, logits.argmax(axis=1))
    else:
        assert np.mean(predicted == labels) > (0.75 if name == "ncm" else 0.9)


def test_what_is_refused_changes_nothing(case) -> None:
    _, built, dtype = case
    model = built.model
    features, labels = stream(dtype, 12)
    for sample, label in zip(features, labels, strict=True):
        model.learn(sample, int(label))
    before = model.state()
    row = np.ascontiguousarray(features[:1])
    learn = model._library.tinyml_learn
    for label in (CLASSES, 255):
        assert learn(model._model, row.ctypes.data, label) == 1
    if dtype == "float32":
        for value in (np.nan, np.inf, -np.inf, 3e38, -1e6):
            wrong = features[0].copy()
            wrong[5] = value
            with pytest.raises(ValueError, match="features: must be finite"):
                model.learn(wrong, 0)
    np.testing.assert_array_equal(model.state(), before)
    damaged = before.copy()
    damaged[-1 if len(before) > CLASSES * (FEATURES + 2) else 0] = np.nan
    model.set_state(damaged)
    with pytest.raises(ValueError, match="head: a weight is not finite"):
        model.learn(features[1], 0)
    np.testing.assert_array_equal(model.state(), damaged)


def test_what_is_saved_goes_on_as_if_nothing_had_been(case) -> None:
    """All that a learner knows is in its state: the power may be cut between two samples."""
    _, built, dtype = case
    model = built.model
    features, labels = stream(dtype, 60)
    for sample, label in zip(features[:30], labels[:30], strict=True):
        model.learn(sample, int(label))
    saved = model.state()
    ends = []
    for restart in (False, True):
        if restart:
            model.reset()
        model.set_state(saved)
        for sample, label in zip(features[30:], labels[30:], strict=True):
            model.learn(sample, int(label))
        ends.append(model.state())
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("kind", [Ncm, Lda, OnlineLda, Rls])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("memory", 1.0),
        ("memory", float("nan")),
        ("prior_samples", 0.0),
        ("alarm", 0.0),
        ("max_classes", 1),
    ],
)
def test_bad_values_name_their_key(kind, key, value) -> None:
    with pytest.raises(ValueError, match=rf"learner\.{key}: must be in"):
        kind(**{key: value})


@pytest.mark.parametrize("kind", [Lda, OnlineLda, Rls])
@pytest.mark.parametrize("value", [0.0, 2.0, float("inf"), float("nan")])
def test_a_bad_shrinkage_names_its_key(kind, value) -> None:
    with pytest.raises(ValueError, match=r"learner\.shrinkage: must be in 1e-06\.\.1; got"):
        kind(shrinkage=value)
