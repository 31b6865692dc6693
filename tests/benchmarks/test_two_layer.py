"""The trial of a second layer that learns: its gradients, and what it reads of a program."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.two_layer import Program, read_constant

RATE, SHARE, EPSILON = 0.5, 0.25, 1e-6


def loss(program: Program, x: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross-entropy."""
    logits = program.hidden(x) @ program.weights + program.bias
    log_sums = np.log(np.exp(logits).sum(axis=1))
    return float(np.mean(log_sums - logits[np.arange(len(labels)), labels]))


@pytest.mark.parametrize("before", ["scale", "map"])
def test_a_step_follows_the_gradient_of_every_part(before) -> None:
    """By finite differences; what lies before the head at its share of the rate."""
    rng = np.random.default_rng(4)
    x, labels = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    shape = (4,) if before == "scale" else (4, 4)
    program = Program(*(rng.normal(size=size) for size in ((4, 3), (3,), shape, (4,))))
    parts = {"weights": 1.0, "bias": 1.0, "before": SHARE, "shift": SHARE}
    expected = {}
    for name, share in parts.items():
        values = getattr(program, name)
        gradient = np.zeros_like(values)
        for place in np.ndindex(values.shape):
            kept = values[place]
            values[place] = kept + EPSILON
            above = loss(program, x, labels)
            values[place] = kept - EPSILON
            gradient[place] = (above - loss(program, x, labels)) / (2 * EPSILON)
            values[place] = kept
        length = np.mean(np.sum(x * x, axis=1))
        expected[name] = values - RATE * share / length * gradient
    program.step(x, labels, RATE, SHARE)
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(program, name), values, atol=1e-8, err_msg=name)


def test_a_constant_is_read_from_the_program_and_a_missing_one_is_named(tmp_path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/config.hpp").write_text(
        "// kScale * (code - kZero)\nfloat kScale = 2.5e-2F;\nint kZero = -111;\n"
    )
    assert read_constant(tmp_path, "kScale") == 0.025
    assert read_constant(tmp_path, "kZero") == -111
    with pytest.raises(SystemExit, match=r"config\.hpp: has no kOther"):
        read_constant(tmp_path, "kOther")
