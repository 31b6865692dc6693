"""What is not finite is refused through the protocol, by a status of its own, and changes nothing."""

from __future__ import annotations

import ctypes
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.link.client import Board
from codegen.link.messages import MEANING, BoardError, Message, Status
from tests.codegen.link.conftest import Device, build_device
from tests.codegen.link.test_device import refused

FEATURES, CLASSES = 12, 5
HEAD_BYTES = 4 * (FEATURES + 1) * CLASSES
SLOT_HEADER_BYTES = 32
SLOT_BYTES = -(-(SLOT_HEADER_BYTES + HEAD_BYTES) // 256) * 256
NOT_FINITE = (np.nan, np.inf, -np.inf)
wrong_pixels = st.sampled_from([*NOT_FINITE, 3e38, -1.01e6])
wrong_weights = st.sampled_from([*NOT_FINITE, 3e38, -1.01e24])


@pytest.fixture(scope="module")
def library(emit_identity, tmp_path_factory):
    _, tree = emit_identity(dtype="float32", learning_rate=1e-3)
    return build_device(tree, tmp_path_factory.mktemp("device") / "device.so", "-shared", "-fPIC")


@pytest.fixture
def device(library):
    return Device(library)


def view(device, name, count):
    function = getattr(device.library, name)
    function.restype = ctypes.c_void_p
    return np.ctypeslib.as_array((ctypes.c_uint8 * count).from_address(function()))


def head_in_ram(device):
    return view(device, "device_head", HEAD_BYTES).view(np.float32)


def flash(device):
    return view(device, "device_flash", 2 * SLOT_BYTES)


def image(seed):
    return np.random.default_rng(seed).normal(0, 1, (1, 12, 1)).astype(np.float32)


def everything(board):
    """What a host can see of the learner: head, buffer, counters."""
    return [part.tobytes() for part in board.head()], board.stats()


@given(value=wrong_pixels, at=st.integers(0, FEATURES - 1), learned=st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_a_sample_that_is_not_finite(library, value, at, learned):
    board = Board(Device(library), timeout_s=0.01)
    for number in range(learned):
        board.learn(image(number), number % CLASSES)
    before = everything(board)
    bad = image(99)
    bad[0, at, 0] = value
    assert refused(board.learn, bad, 1) == Status.WRONG_SAMPLE
    assert refused(board.classify, bad) == Status.WRONG_SAMPLE
    assert refused(board.learn_last, 1) == Status.NO_IMAGE
    assert everything(board) == before
    board.learn(image(99), 1)
    assert np.isfinite(np.concatenate([part.ravel() for part in board.head()])).all()


@given(value=wrong_weights, at=st.integers(0, HEAD_BYTES // 4 - 1))
@settings(deadline=None, max_examples=40)
def test_a_head_that_is_not_finite_is_not_saved_and_not_trained(library, value, at):
    device = Device(library)
    board = Board(device, timeout_s=0.01)
    board.learn(image(1), 1)
    assert board.save() == 1
    good = board.head()
    head_in_ram(device)[at] = value
    before, memory = everything(board), flash(device).tobytes()
    for _ in range(2):
        assert refused(board.save) == Status.WRONG_HEAD
        assert refused(board.learn, image(2), 2) == Status.WRONG_HEAD
    assert everything(board) == before
    assert flash(device).tobytes() == memory
    assert board.load() == 1
    for mine, its in zip(board.head(), good, strict=True):
        np.testing.assert_array_equal(mine, its)
    board.learn(image(2), 2)


@given(value=wrong_weights, at=st.integers(0, HEAD_BYTES // 4 - 1), both=st.booleans())
@settings(deadline=None, max_examples=40)
def test_a_saved_head_that_is_not_finite_is_not_loaded(library, value, at, both):
    """As an older firmware may have left it, with valid CRCs: the slot before it counts."""
    device = Device(library)
    board = Board(device, timeout_s=0.01)
    first = board.head()
    board.learn(image(1), 1)
    board.save()
    older = board.head()
    board.learn(image(2), 2)
    board.save()
    for slot in range(2) if both else (1,):
        start = slot * SLOT_BYTES
        content = flash(device)[start : start + SLOT_HEADER_BYTES + HEAD_BYTES]
        content[SLOT_HEADER_BYTES:].view(np.float32)[at] = value
        header = content[:SLOT_HEADER_BYTES].view("<u4")
        header[6] = zlib.crc32(content[SLOT_HEADER_BYTES:])
        header[7] = zlib.crc32(header[:7])
    before = board.head()
    if both:
        assert refused(board.load) == Status.NOTHING_SAVED
        expected = before
    else:
        assert board.load() == 1
        expected = older
    for mine, its in zip(board.head(), expected, strict=True):
        np.testing.assert_array_equal(mine, its)
    device.restart()
    again = Board(device, timeout_s=0.01)
    for mine, its in zip(again.head(), first if both else older, strict=True):
        np.testing.assert_array_equal(mine, its)


def test_every_status_has_words():
    assert set(MEANING) == set(Status) - {Status.OK}
    for status, meaning in MEANING.items():
        assert str(BoardError(Message.LEARN, status)) == f"the board refused LEARN: {meaning}"
