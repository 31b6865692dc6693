"""Alarms are read from the counts of a program's state."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from benchmarks.alarms import SWAP, drive, row
from scenarios.field import Samples, divide
from scenarios.streams.shuffled import Shuffled

FEATURES, PRIOR, DELAY = 3, 4.0, 7


class Program:
    """Knows each class by its first feature, and takes a class as new at its seventh mistake; ``alarm`` 1e6 never."""

    shape = SimpleNamespace(classes=10, features=FEATURES)
    knobs = {"prior_samples": PRIOR}  # noqa: RUF012  # it stands in for a program's

    def reset(self) -> None:
        self.meaning, self.mistakes = np.arange(10), np.zeros(10, int)
        self.counts = np.ones(10, np.float32)

    def set_knob(self, name: str, value: float) -> None:
        assert name == "alarm"
        self.alarm = value

    def learn(self, features, label: int) -> None:
        self.counts[label] += 1 / PRIOR
        self.mistakes[label] += self.meaning[int(features[0])] != label
        if self.mistakes[label] == DELAY and self.alarm < 1e6:
            self.counts[label] = np.float32(1 / PRIOR)
            self.meaning[int(features[0])], self.mistakes[label] = label, 0

    def predict(self, features):
        return self.meaning[features[:, 0].astype(int)]

    def state(self):
        return np.concatenate([np.zeros(10 * (FEATURES + 1), np.float32), self.counts])


def field():
    labels = (np.arange(2000) % 10).astype(np.uint8)
    return divide(Samples(np.repeat(labels[:, None], FEATURES, 1), labels), 10, SWAP.samples, 200)


def test_a_swap_is_found_where_the_program_says_so_and_never_where_it_does_not() -> None:
    cells = row(Program(), Shuffled(), field(), 3.0)
    assert (cells[0], cells[1], cells[2], cells[3]) == ("1.000", "0.00", "1.000", "10 of 10")
    assert row(Program(), Shuffled(), field(), 1e6)[2:] == ("0.800", "0 of 10", "")


def test_the_delay_is_that_of_the_seventh_mistake() -> None:
    program = Program()
    program.reset()
    program.set_knob("alarm", 3.0)
    found = drive(program, SWAP, Shuffled(), field(), 0)
    stream = SWAP.stream(field().pool, 10, Shuffled(), np.random.default_rng((1, 0)))
    labels = stream.labels[SWAP.drift_at :]
    expected = {(SWAP.drift_at + np.flatnonzero(labels == c)[DELAY - 1], c) for c in SWAP.swapped}
    assert set(found.rang) == expected
