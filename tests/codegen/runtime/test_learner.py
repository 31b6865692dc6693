"""The C++ learner against NumPy and the standard library, written from the papers' definitions."""

from __future__ import annotations

import ctypes
import subprocess
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.learners.tybox import Tybox
from codegen.toolchain.host import HostModel

HARNESS = Path(__file__).parents[2] / "support" / "cpp" / "learner_harness.cpp"
INCLUDE = Path(__file__).parents[3] / "codegen"
BUFFER_FEATURES = 3
CLASSES = 4


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    library = tmp_path_factory.mktemp("harness") / "learner.so"
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
    flags = ["-std=c++17", "-O2", "-ffp-contract=off", "-fno-exceptions", "-fno-rtti"]
    command = ["g++", *flags, *warnings, "-shared", "-fPIC", f"-I{INCLUDE}", str(HARNESS)]
    subprocess.run([*command, "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


# --- the buffer ----------------------------------------------------------------------------------

samples = st.lists(
    st.tuples(
        st.lists(st.integers(-128, 127), min_size=BUFFER_FEATURES, max_size=BUFFER_FEATURES),
        st.integers(0, 255),
    ),
    max_size=30,
)


@given(samples=samples, capacity=st.sampled_from([1, 2, 7]))
def test_buffer_is_first_in_first_out(harness, samples, capacity):
    kept = list(deque(samples, maxlen=capacity))
    features = np.array([f for f, _ in samples], np.int8).reshape(-1, BUFFER_FEATURES)
    labels = np.array([label for _, label in samples], np.uint8)
    out_features = np.zeros((capacity, BUFFER_FEATURES), np.int8)
    out_labels = np.zeros(capacity, np.uint8)
    count = harness.buffer_contents(
        capacity,
        pointer(features),
        pointer(labels),
        len(samples),
        pointer(out_features),
        pointer(out_labels),
    )
    assert [(list(f), label) for f, label in zip(out_features, out_labels, strict=True)][
        :count
    ] == kept


def test_buffer_of_floats_is_first_in_first_out(harness):
    features = np.arange(30, dtype=np.float32).reshape(10, BUFFER_FEATURES) / 7
    labels = np.arange(10, dtype=np.uint8)
    out_features = np.zeros((7, BUFFER_FEATURES), np.float32)
    out_labels = np.zeros(7, np.uint8)
    count = harness.float_buffer_contents(
        pointer(features), pointer(labels), 10, pointer(out_features), pointer(out_labels)
    )
    assert count == 7
    np.testing.assert_array_equal(out_features, features[3:])
    np.testing.assert_array_equal(out_labels, labels[3:])


# --- softmax and its gradient --------------------------------------------------------------------


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def loss_of(z, label, loss):
    p = softmax(np.asarray(z, np.float64))
    if loss == "cross_entropy":
        return -np.log(p[label])
    return 0.5 * np.sum((p - np.eye(len(p))[label]) ** 2)


def test_exponential_is_within_two_units_in_the_last_place(harness):
    x = np.concatenate(
        [-np.logspace(-10, np.log10(86.9), 200_000), np.linspace(-2, 0, 100_001)]
    ).astype(np.float32)
    out = np.empty_like(x)
    harness.exp_nonpositive(pointer(x), len(x), pointer(out))
    expected = np.exp(x.astype(np.float64))
    units = np.abs(out - expected) / np.spacing(expected.astype(np.float32))
    assert units.max() <= 2
    assert out[-1] == 1


@pytest.mark.parametrize("x", [-87.0, -88.5, -1e4, -np.inf])
def test_exponential_underflows_to_zero(harness, x):
    out = np.full(1, np.nan, np.float32)
    harness.exp_nonpositive(pointer(np.array([x], np.float32)), 1, pointer(out))
    assert out[0] == 0


logits = st.lists(st.floats(-40, 40, width=32), min_size=CLASSES, max_size=CLASSES)


@given(logits=logits, shift=st.sampled_from([0.0, 1e3, -1e3]))
def test_softmax(harness, logits, shift):
    z = np.array(logits, np.float32) + np.float32(shift)
    values = z.copy()
    harness.softmax(pointer(values))
    np.testing.assert_allclose(values, softmax(z.astype(np.float64)), rtol=2e-6, atol=1e-30)


@given(logits=logits, label=st.integers(0, CLASSES - 1), squared=st.booleans())
def test_gradient_is_the_slope_of_the_loss(harness, logits, label, squared):
    z = np.array(logits, np.float32)
    values = z.copy()
    harness.softmax(pointer(values))
    harness.logit_gradient(int(squared), pointer(values), label)
    loss = "squared_error" if squared else "cross_entropy"
    step = 1e-4
    slopes = [
        (loss_of(z + step * e, label, loss) - loss_of(z - step * e, label, loss)) / (2 * step)
        for e in np.eye(CLASSES)
    ]
    np.testing.assert_allclose(values, slopes, atol=2e-6)


# --- the head and the whole learner --------------------------------------------------------------


class Oracle:
    """TyBox as its paper says it, in float64: B is a deque, every sample is one SGD step.

    A step is the rate over the features' mean squared length and over the samples in B; the bias is a
    feature of their mean square.
    """

    def __init__(self, project):
        quantization = project.graph.output.quantization
        self.scale = float(np.float32(quantization.scales[0])) if quantization else 1.0
        self.zero_point = quantization.zero_points[0] if quantization else 0
        self.weights = project.head.weights.astype(np.float64)
        self.bias = project.head.bias.astype(np.float64)
        self.settings = project.learner
        self.rate = float(np.float32(project.learner.learning_rate))
        self.length, self.seen = 0.0, 0
        self.buffer = deque(maxlen=project.buffer_samples)
        self.rows, self.pushed, self.turn = [], 0, 0

    def real(self, features):
        return self.scale * (features.astype(np.float64) - self.zero_point)

    def logits(self, features):
        return self.real(features) @ self.weights.T + self.bias

    def learn(self, features, label):
        self.buffer.append((self.real(features), label))
        self.rows[self.pushed : self.pushed + 1] = [self.buffer[-1]]
        self.pushed = (self.pushed + 1) % self.buffer.maxlen
        self.seen = min(self.seen + 1, 256)
        self.length += (np.sum(self.real(features) ** 2) - self.length) / self.seen
        replayed = min(self.settings.replayed or len(self.buffer), len(self.buffer))
        rate = self.rate / (self.length * replayed)
        bias_rate = self.rate / (replayed * len(features))
        for _ in range(self.settings.passes):
            for x, y in self.part(replayed):
                p = softmax(self.weights @ x + self.bias)
                delta = p - np.eye(len(p))[y]
                if self.settings.loss == "squared_error":
                    jacobian = np.diag(p) - np.outer(p, p)
                    delta = jacobian @ delta
                self.weights -= rate * np.outer(delta, x)
                self.bias -= bias_rate * delta

    def part(self, replayed):
        """What a pass goes through: all, oldest first, or those whose turn it is and then the new one."""
        if replayed == len(self.buffer):
            return list(self.buffer)
        chosen = []
        for _ in range(replayed - 1):
            self.turn %= len(self.rows)
            chosen.append(self.rows[self.turn])
            self.turn += 1
        return [*chosen, self.buffer[-1]]


def stream(project, count, seed):
    """Samples of classes that lie apart, so that learning has something to find."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 40, (project.head.classes, project.head.features))
    labels = rng.integers(0, project.head.classes, count)
    codes = np.clip(np.rint(rng.normal(centres[labels], 20)), -128, 127)
    return codes.astype(project.golden.features.dtype), labels


CASES = [
    {"buffer_samples": 1},
    {"buffer_samples": 1, "loss": "squared_error", "passes": 3},
    {"buffer_samples": 7},
    {"buffer_samples": 7, "loss": "squared_error"},
    {"buffer_samples": 20, "passes": 2, "learning_rate": 0.3},
    {"buffer_samples": 7, "dtype": "float32"},
    {"buffer_samples": 7, "features": 1, "classes": 2},
    {"buffer_samples": 3, "features": 37, "classes": 19},
    {"buffer_samples": 11, "learner": Tybox(0.3, passes=2, replayed=5)},
    {"buffer_samples": 6, "learner": Tybox(0.1, replayed=1)},
    {"buffer_samples": 6, "learner": Tybox(0.3, replayed=6)},
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_learner_follows_the_oracle(emit_identity, case):
    project, tree = emit_identity(**case)
    model, oracle = HostModel(tree), Oracle(project)
    features, labels = stream(project, 300, seed=1)
    probe = features[:20]
    for number, (sample, label) in enumerate(zip(features, labels, strict=True)):
        model.learn(sample, int(label))
        oracle.learn(sample, label)
        assert model.buffer_count == min(number + 1, project.buffer_samples)
        if number % 50 == 0:
            expected = oracle.logits(probe)
            size = np.abs(expected).max()
            np.testing.assert_allclose(model.logits(probe), expected, atol=1e-5 * size)
    weights, bias = model.head()
    size = np.abs(oracle.weights).max()
    np.testing.assert_allclose(weights, oracle.weights, atol=1e-5 * size)
    np.testing.assert_allclose(bias, oracle.bias, atol=1e-5 * size)
    moved = np.abs(oracle.weights - project.head.weights).max()
    assert moved > 1e-3 * size, "a test that does not move the head shows nothing"


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_step_is_the_gradient_by_finite_differences(emit_identity, loss):
    project, tree = emit_identity(loss=loss, buffer_samples=1)
    model = HostModel(tree)
    sample, label = stream(project, 1, seed=3)[0][0], 2
    oracle = Oracle(project)
    length = float(np.sum(oracle.real(sample) ** 2))
    model.set_knob("learning_rate", length)  # a step of 1
    model.learn(sample, label)
    step_weights = project.head.weights - model.head()[0]
    step_bias = (project.head.bias - model.head()[1]) / (length / len(sample))
    x, nudge = oracle.real(sample), 1e-5

    def loss_at(weights, bias):
        return loss_of(weights @ x + bias, label, loss)

    for c in range(project.head.classes):
        e = np.eye(project.head.classes)[c] * nudge
        slope = (
            loss_at(oracle.weights, oracle.bias + e) - loss_at(oracle.weights, oracle.bias - e)
        ) / (2 * nudge)
        assert step_bias[c] == pytest.approx(slope, abs=1e-6)
        for f in range(project.head.features):
            e = np.zeros_like(oracle.weights)
            e[c, f] = nudge
            slope = (
                loss_at(oracle.weights + e, oracle.bias) - loss_at(oracle.weights - e, oracle.bias)
            ) / (2 * nudge)
            assert step_weights[c, f] == pytest.approx(slope, abs=1e-5)


def test_a_diverging_learner_stays_within_its_memory(emit_identity):
    """The largest learning rate gives absurd weights, not a crash or a class that does not exist."""
    project, tree = emit_identity()
    model = HostModel(tree)
    model.set_knob("learning_rate", 1e6)
    features, labels = stream(project, 50, seed=5)
    for sample, label in zip(features, labels, strict=True):
        model.learn(sample, int(label))
    assert model.predict(features).max() < project.head.classes


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_predict_is_the_first_largest_logit(tiny_model, data):
    width = tiny_model.shape.features
    codes = st.lists(st.integers(-128, 127), min_size=width, max_size=width)
    features = np.array(data.draw(st.lists(codes, min_size=1, max_size=8)), np.int8)
    np.testing.assert_array_equal(
        tiny_model.predict(features), tiny_model.logits(features).argmax(axis=1)
    )


@pytest.fixture(scope="module")
def tiny_model(emit_identity):
    return HostModel(emit_identity()[1])
