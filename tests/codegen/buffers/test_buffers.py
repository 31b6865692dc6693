"""Which samples buffers keep, against lists; and the bytes that they state, as the compiler finds them."""

from __future__ import annotations

import ctypes
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.buffers.base import Shape
from codegen.learners.tybox import BUFFERS, Tybox

HARNESS = Path(__file__).parents[2] / "support" / "cpp" / "buffer_harness.cpp"
INCLUDE = Path(__file__).parents[3] / "codegen"
FEATURES, CLASSES, CAPACITY = 3, 4, 7


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    library = tmp_path_factory.mktemp("harness") / "buffers.so"
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fno-exceptions"]
    command = ["g++", *flags, "-shared", "-fPIC", f"-I{INCLUDE}", str(HARNESS)]
    subprocess.run([*command, "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


class Draws:
    """Marsaglia's xorshift32, as 32 bits are in Python."""

    def __init__(self) -> None:
        self.state = 2463534242

    def below(self, bound: int) -> int:
        for shift in (13, -17, 5):
            moved = self.state << shift if shift > 0 else self.state >> -shift
            self.state = (self.state ^ moved) & 0xFFFFFFFF
        return self.state * bound >> 32


FORGET = None
"""Stands among samples where those of a class are dropped: ``(FORGET, label)``."""


def without(kept, label):
    return [item for item in kept if item[1] != label]


def fifo(samples):
    kept = []
    for features, label in samples:
        kept = without(kept, label) if features is FORGET else [*kept, (features, label)]
        kept = kept[-CAPACITY:]
    return kept


def per_class(samples):
    kept = []
    for sample in samples:
        if sample[0] is FORGET:
            kept = without(kept, sample[1])
            continue
        if len(kept) == CAPACITY:
            counts = Counter(label for _, label in kept)
            most = max(counts.values())
            own = sample[1]
            loser = own if counts[own] == most else min(c for c in counts if counts[c] == most)
            kept.remove(next(item for item in kept if item[1] == loser))
        kept.append(sample)
    return kept


def reservoir(samples):
    kept, draws, seen = [], Draws(), 0
    for sample in samples:
        if sample[0] is FORGET:
            kept = without(kept, sample[1])
            continue
        seen += 1
        if len(kept) < CAPACITY:
            kept.append(sample)
        elif (row := draws.below(seen)) < CAPACITY:
            kept[row] = sample
    return kept


def balanced_reservoir(samples):
    kept, draws, seen, full = [], Draws(), Counter(), set()
    for sample in samples:
        own = sample[1]
        if sample[0] is FORGET:
            kept, seen[own] = without(kept, own), 0
            full.discard(own)
            continue
        seen[own] += 1
        if len(kept) < CAPACITY:
            kept.append(sample)
            continue
        counts = Counter(label for _, label in kept)
        most = max(counts.values())
        full |= {c for c in counts if counts[c] == most}
        loser = own if own in full else min(c for c in counts if counts[c] == most)
        if own in full and draws.below(seen[own]) >= counts[own]:
            continue
        rows = [row for row, (_, label) in enumerate(kept) if label == loser]
        kept[rows[draws.below(len(rows))]] = sample
    return kept


ORACLES = (fifo, per_class, reservoir, balanced_reservoir)
samples_of = st.lists(
    st.tuples(
        st.tuples(*[st.integers(-128, 127)] * FEATURES),
        # Runs of one class are what tells buffers apart.
        st.integers(0, CLASSES - 1),
        st.sampled_from([1, 1, 2, 9]),
    ),
    max_size=30,
).map(lambda runs: [(features, label) for features, label, times in runs for _ in range(times)])


def contents(harness, kind, samples, packed, until=-1, forgotten=0):
    features = np.array([f for f, _ in samples], np.int8).reshape(-1, FEATURES)
    labels = np.array([label for _, label in samples], np.uint8)
    out_features = np.zeros((CAPACITY, FEATURES), np.int8)
    out_labels = np.zeros(CAPACITY, np.uint8)
    pointers = [
        ctypes.c_void_p(a.ctypes.data) for a in (features, labels, out_features, out_labels)
    ]
    given = (*pointers[:2], len(samples), until, forgotten)
    count = harness.buffer_contents(kind, int(packed), *given, *pointers[2:])
    rows = zip(map(tuple, out_features.tolist()), out_labels.tolist(), strict=True)
    return list(rows)[:count]


@pytest.mark.parametrize("kind", range(len(ORACLES)), ids=[o.__name__ for o in ORACLES])
@settings(max_examples=80, deadline=None)
@given(
    samples=samples_of,
    packed=st.booleans(),
    until=st.integers(-1, 40),
    forgotten=st.integers(0, CLASSES - 1),
)
def test_it_keeps_what_the_list_keeps(harness, kind, samples, packed, until, forgotten) -> None:
    """Through several fillings, and where a class is dropped; packed, features are the middle of sixteen codes."""
    events = list(samples)
    if 0 <= until < len(samples):
        events.insert(until, (FORGET, forgotten))
    expected = ORACLES[kind](events)
    if packed:
        middle = lambda code: code // 16 * 16 + 8  # noqa: E731
        expected = [(tuple(map(middle, features)), label) for features, label in expected]
    assert contents(harness, kind, samples, packed, until, forgotten) == expected


def test_a_class_that_comes_alone_leaves_the_others_their_share(harness) -> None:
    samples = [((i, 0, 0), i % CLASSES) for i in range(12)] + [((i, 1, 0), 2) for i in range(50)]
    for kind in (1, 3):
        counts = Counter(label for _, label in contents(harness, kind, samples, packed=False))
        assert max(counts.values()) <= 2
        assert len(counts) == CLASSES
    assert {label for _, label in contents(harness, 0, samples, packed=False)} == {2}


def test_packed_samples_take_half() -> None:
    shape = Shape(186, 10, "int8", 100)
    for name in BUFFERS:
        whole, packed = Tybox(buffer=name), Tybox(buffer=name, buffer_bits=4)
        assert (whole.sample_bytes(shape), packed.sample_bytes(shape)) == (187, 94)
    with pytest.raises(ValueError, match=r"learner\.buffer_bits: features are float32"):
        Tybox(buffer_bits=4).ram(Shape(186, 10, "float32", 100))
    with pytest.raises(ValueError, match=r"learner\.buffer_bits: must be 8 or 4; got 2"):
        Tybox(buffer_bits=2)
    with pytest.raises(ValueError, match=r"learner\.buffer: must be one of fifo, per_class"):
        Tybox(buffer="lifo")
