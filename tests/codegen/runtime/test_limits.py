"""Nothing that is given to the learner makes its head, its logits or its buffer other than finite."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.learners.base import check_samples
from codegen.learners.tinyol import TinyOL
from codegen.learners.tybox import Tybox
from codegen.limits import LEAST_RATE, MOST_FEATURE, MOST_RATE, MOST_WEIGHT
from codegen.toolchain.host import HostModel

FEATURES, CLASSES = 12, 5

# Everything that 32 bits can say, with what is awkward more often than by chance.
anything = st.one_of(
    st.floats(width=32),
    st.sampled_from(
        [math.nan, math.inf, -math.inf, 3e38, -3e38, 1e30, 1e6, -1e6, 1.0001e6, 1e-40, -1e-45]
    ),
)
inside = st.floats(-MOST_FEATURE, MOST_FEATURE, width=32)
usual = st.floats(-4, 4, width=32)


def vectors(values):
    return st.lists(values, min_size=FEATURES, max_size=FEATURES).map(
        lambda row: np.array(row, np.float32)
    )


samples = st.tuples(
    st.one_of(vectors(usual), vectors(inside), vectors(anything)), st.integers(0, CLASSES - 1)
)
rates = st.one_of(
    st.floats(LEAST_RATE, MOST_RATE, width=32),
    st.sampled_from([LEAST_RATE, 1e-3, 1.0, MOST_RATE]),
)
most_weight = float(np.float32(MOST_WEIGHT))
heads = st.floats(-most_weight, most_weight, width=32)
wrong = st.sampled_from([math.nan, math.inf, -math.inf, 3e38, -1.01e24])


@pytest.fixture(scope="module", params=["cross_entropy", "squared_error"])
def models(request, emit_identity):
    """A model of reals whose buffer the streams fill, and a second one beside it."""
    made = {"dtype": "float32", "buffer_samples": 3, "passes": 2, "learning_rate": 1e-3}
    _, tree = emit_identity(loss=request.param, **made)
    return HostModel(tree), HostModel(tree)


def state(model):
    """Everything that learning may change: head, rate, buffer."""
    return model._storage.tobytes()


def restored(model, rate):
    model.reset()
    model.set_knob("learning_rate", rate)
    return model


def acceptable(features):
    return bool((np.abs(features) <= MOST_FEATURE).all())


@given(stream=st.lists(samples, min_size=1, max_size=10), rate=rates)
@settings(deadline=None, max_examples=300)
def test_what_is_not_finite_is_refused_and_changes_nothing(models, stream, rate):
    """The other samples of the stream are learned as if it had not been there."""
    model, other = (restored(model, rate) for model in models)
    for features, label in stream:
        if acceptable(features):
            model.learn(features, label)
            other.learn(features, label)
            continue
        before = state(model)
        with pytest.raises(ValueError, match="features: must be finite and within 1e6"):
            model.learn(features, label)
        assert state(model) == before
    for mine, its in zip(model.head(), other.head(), strict=True):
        assert np.isfinite(mine).all()
        np.testing.assert_array_equal(mine, its)
    assert model.buffer_count == other.buffer_count


@given(
    weights=st.lists(heads, min_size=4, max_size=4),
    stream=st.lists(st.tuples(vectors(inside), st.integers(0, CLASSES - 1)), max_size=6),
    rate=rates,
)
@settings(deadline=None, max_examples=200)
def test_the_largest_that_is_taken_stays_finite(models, weights, stream, rate):
    """Weights at their bound, features at theirs, any rate: no step carries them over it."""
    model = restored(models[0], rate)
    drawn = np.resize(np.array([*weights, most_weight, -most_weight], np.float32), (CLASSES, 12))
    model.set_head(drawn, drawn[:, 0].copy())
    edge = np.full(FEATURES, MOST_FEATURE, np.float32)
    for features, label in [(edge, 0), *stream, (-edge, 1)]:
        model.learn(features, label)
        assert np.isfinite(model.logits(features[np.newaxis])).all()
    assert max(float(np.abs(part).max()) for part in model.head()) <= most_weight


@given(value=wrong, at=st.integers(0, FEATURES * CLASSES + CLASSES - 1), data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_head_that_is_not_finite_is_not_trained(models, value, at, data):
    model = restored(models[0], 1e-3)
    model.learn(np.ones(FEATURES, np.float32), 1)
    weights, bias = model.head()
    (weights.reshape(-1) if at < weights.size else bias)[at % weights.size % bias.size] = value
    model.set_head(weights, bias)
    before = state(model)
    features, label = data.draw(vectors(usual)), data.draw(st.integers(0, CLASSES - 1))
    with pytest.raises(ValueError, match="head: a weight is not finite, or beyond 1e24; reset it"):
        model.learn(features, label)
    assert state(model) == before
    model.reset()
    model.learn(features, label)


@given(rate=st.one_of(anything, st.floats(width=32, max_value=0)))
@settings(deadline=None)
def test_a_rate_is_a_normal_number_up_to_a_million(models, rate):
    model = models[0]
    model.reset()
    before = state(model)
    if LEAST_RATE <= rate <= MOST_RATE:
        model.set_knob("learning_rate", rate)
        assert model.knobs == {"learning_rate": rate}
        return
    with pytest.raises(ValueError, match=r"learning_rate: must be in 1\.18e-38\.\.1e\+06"):
        model.set_knob("learning_rate", rate)
    assert model._library.tinyml_set_knob(model._model, 0, rate) == 0
    assert model._library.tinyml_set_knob(model._model, 1, 1.0) == 0
    assert state(model) == before
    for make in (
        lambda: Tybox(rate),
        lambda: Tybox(0.1, (rate,)),
        lambda: TinyOL(0.1, (1e-3, rate) if rate > 1e-3 else (rate, 1e-3)),
    ):
        with pytest.raises(ValueError, match=r"learner\.learning_rates?: must be"):
            make()


@given(codes=st.lists(st.integers(-128, 127), min_size=FEATURES, max_size=FEATURES), rate=rates)
@settings(deadline=None, max_examples=60)
def test_codes_are_always_taken(int8_model, codes, rate):
    int8_model.reset()
    int8_model.set_knob("learning_rate", rate)
    features = np.array(codes, np.int8)
    for label in range(CLASSES):
        int8_model.learn(features, label)
    assert np.isfinite(int8_model.logits(features[np.newaxis])).all()


@pytest.fixture(scope="module")
def int8_model(emit_identity):
    return HostModel(emit_identity(passes=3)[1])


@pytest.mark.parametrize("passes", [0, -1, 1001, 2**31, 99_999_999_999])
def test_passes_are_bounded(passes):
    for make in (
        lambda: Tybox(0.1, passes=passes),
        lambda: TinyOL(0.1, passes=passes),
    ):
        with pytest.raises(ValueError, match=r"learner\.passes: must be in 1\.\.1000"):
            make()


@pytest.mark.parametrize("samples", [0, -5, 2**31, 10**30])
def test_samples_are_counted_in_32_bits(samples):
    with pytest.raises(ValueError, match=r"buffer_samples: must be in 1\.\.2147483647"):
        check_samples("buffer_samples", Tybox(0.1), samples)
    with pytest.raises(ValueError, match=r"buffer_samples: must be in 1\.\.1; got"):
        check_samples("buffer_samples", TinyOL(0.1), samples)
