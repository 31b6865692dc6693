"""The factored matrix of the closed forms: exact, and positive definite for as long as it is asked."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen.learners.statistics import packed, packed_bytes

HARNESS = Path(__file__).parents[2] / "support" / "cpp" / "closed_form_harness.cpp"
INCLUDE = Path(__file__).parents[3] / "codegen"


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    library = tmp_path_factory.mktemp("harness") / "factor.so"
    flags = [
        "-std=c++17",
        "-O2",
        "-ffp-contract=off",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-Werror",
    ]
    command = ["g++", *flags, "-shared", "-fPIC", f"-I{INCLUDE}", str(HARNESS)]
    subprocess.run([*command, "-o", str(library)], check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.apply.restype = ctypes.c_float
    return loaded


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def unpacked(triangle, size):
    """U D U' from what is packed."""
    upper, at = np.eye(size), size
    for j in range(1, size):
        upper[:j, j] = triangle[at : at + j]
        at += j
    return upper @ np.diag(triangle[:size].astype(np.float64)) @ upper.T


def updated(harness, triangle, rows, kept, most):
    extremes, gain = np.zeros(2, np.float32), np.zeros(harness.size(), np.float32)
    numbers = (ctypes.c_float(value) for value in (kept, 1e-9, most))
    harness.update(
        pointer(triangle), pointer(rows), len(rows), *numbers, pointer(extremes), pointer(gain)
    )
    return extremes, gain


def random_matrix(size, seed):
    root = np.random.default_rng(seed).normal(size=(size, size))
    return root @ root.T / size + 0.1 * np.eye(size)


def test_packing_is_a_factorization(harness) -> None:
    size = harness.size()
    matrix = random_matrix(size, 0)
    triangle = packed(matrix)
    assert triangle.nbytes == packed_bytes(size)
    np.testing.assert_allclose(unpacked(triangle, size), matrix, atol=1e-5)
    x = np.random.default_rng(1).normal(size=size).astype(np.float32)
    out = x.copy()
    square = harness.apply(pointer(triangle), pointer(out))
    np.testing.assert_allclose(out, matrix @ x, atol=1e-4)
    assert square == pytest.approx(x @ matrix @ x, rel=1e-5)


def test_one_update_is_the_formula(harness) -> None:
    size, kept = harness.size(), 0.9
    matrix = random_matrix(size, 2)
    triangle = packed(matrix)
    x = np.random.default_rng(3).normal(size=(1, size)).astype(np.float32)
    _, gain = updated(harness, triangle, x, kept, 1e9)
    px = matrix @ x[0]
    expected_gain = px / (kept + x[0] @ px)
    np.testing.assert_allclose(gain, expected_gain, atol=1e-5)
    expected = (matrix - np.outer(expected_gain, px)) / kept
    np.testing.assert_allclose(unpacked(triangle, size), expected, atol=1e-5)


@pytest.mark.parametrize("memory", [50.0, 5000.0])
def test_100000_updates_leave_it_positive_definite_and_right(harness, memory) -> None:
    """Samples as features are: of very different sizes, two nearly collinear, one constant, one always 0."""
    size, kept = harness.size(), 1 - 1 / memory
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(100_000, size)) * np.logspace(0, -2, size)
    rows[:, 5] = rows[:, 4] + 1e-2 * rng.normal(size=len(rows))
    rows[:, 9], rows[:, -1] = 0.0, 1.0
    rows = rows.astype(np.float32)
    triangle, most = packed(np.eye(size) * 10), 1e4
    extremes, _ = updated(harness, triangle, rows, kept, most)
    assert 0 < extremes[0] <= extremes[1] <= most
    assert np.isfinite(triangle).all()
    found = unpacked(triangle, size)
    assert np.linalg.eigvalsh(found).min() > 0

    weights = np.float64(np.float32(kept)) ** np.arange(len(rows))[::-1]
    exact = rows.astype(np.float64)
    moment = (exact.T * weights) @ exact
    kinds = [i for i in range(size) if i != 9]  # of what is always 0 the bound decides
    product = found @ moment
    np.testing.assert_allclose(product[np.ix_(kinds, kinds)], np.eye(len(kinds)), atol=0.03)
    assert found[9, 9] == pytest.approx(most, rel=1e-3)
