"""A learner in NumPy, written from the papers alone, that stands in for the generated program."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from scenarios.field import Samples

CLASSES, FEATURES = 10, 24


class NumpyDriver:
    """Softmax head, cross-entropy, SGD over a first-in-first-out buffer; records what it is told.

    ``normalised``: a step is the rate over the features' mean squared length and the samples in the buffer.
    """

    def __init__(
        self,
        centres: npt.NDArray[np.float64],
        buffer_samples: int,
        rate: float,
        *,
        normalised: bool = False,
    ) -> None:
        self._normalised = normalised
        self._initial = (centres.copy(), -0.5 * (centres**2).sum(axis=1))
        self._shipped_rate = rate
        self._buffer_samples = buffer_samples
        self.learned: list[tuple[bytes, int]] = []
        self.resets = 0
        self.reset()

    def reset(self) -> None:
        self._weights, self._bias = (array.copy() for array in self._initial)
        self._buffer: deque[tuple[npt.NDArray[np.float64], int]] = deque(
            maxlen=self._buffer_samples
        )
        self._rate = self._shipped_rate
        self._lengths: list[float] = []
        self.resets += 1

    def set_knob(self, name: str, value: float) -> None:
        assert name == "learning_rate"
        self._rate = value

    def learn(self, features: npt.NDArray[np.generic], label: int) -> None:
        self.learned.append((features.tobytes(), label))
        self._buffer.append((features.astype(np.float64), label))
        self._lengths.append(float(np.sum(features.astype(np.float64) ** 2)))
        step = bias_step = self._rate
        if self._normalised:
            step /= np.mean(self._lengths) * len(self._buffer)
            bias_step /= len(features) * len(self._buffer)
        for sample, target in self._buffer:
            logits = self._weights @ sample + self._bias
            error = np.exp(logits - logits.max())
            error /= error.sum()
            error[target] -= 1
            self._weights -= step * np.outer(error, sample)
            self._bias -= bias_step * error

    def predict(self, features: npt.NDArray[np.generic]) -> npt.NDArray[np.integer]:
        return (features @ self._weights.T + self._bias).argmax(axis=1)


@pytest.fixture(scope="session")
def centres() -> npt.NDArray[np.float64]:
    return np.random.default_rng(1).normal(size=(CLASSES, FEATURES))


@pytest.fixture(scope="session")
def make_split(centres: npt.NDArray[np.float64]) -> Callable[..., Samples]:
    """``make_split(count, seed, noise=0.8)``: noisy class centres, every row different."""

    def make(count: int, seed: int, noise: float = 0.8) -> Samples:
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(count) % CLASSES).astype(np.uint8)
        features = centres[labels] + rng.normal(scale=noise, size=(count, FEATURES))
        return Samples(features.astype(np.float32), labels)

    return make


@pytest.fixture
def make_driver(centres: npt.NDArray[np.float64]) -> Callable[..., NumpyDriver]:
    """``make_driver(buffer_samples=1, rate=0.05)``: a head that knows the classes well."""

    def make(
        buffer_samples: int = 1, rate: float = 0.05, *, normalised: bool = False
    ) -> NumpyDriver:
        return NumpyDriver(centres, buffer_samples, rate, normalised=normalised)

    return make


class Counts:
    """A data set of which nothing but its sizes and names is known."""

    def __init__(self, classes: int = CLASSES, first: int = 0, **images: int) -> None:
        self.classes = classes
        self.class_names = tuple(f"class {first + number}" for number in range(classes))
        self._images = {"train": 5_000, "validation": 1_000, "test": 1_000} | images

    def count(self, name: str, label: int | None = None) -> int:
        return self._images[name] if label is None else self._images[name] // self.classes


@pytest.fixture(scope="session")
def counts() -> type[Counts]:
    return Counts
