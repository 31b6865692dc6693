"""What a board has learned, in a file: to another board of the same model, and to no other."""

from __future__ import annotations

import struct
import time
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.link import __main__ as tool
from codegen.link import state
from codegen.link.client import Board
from codegen.link.messages import BoardError, Hello, Message, Status
from codegen.link.state import HEADER, SavedState, StateFileError
from tests.codegen.link.conftest import Device
from tests.codegen.link.pseudo import PseudoBoard


@pytest.fixture
def board(device):
    return Board(device, timeout_s=0.01)


def taught(board, count=9, seed=3):
    rng = np.random.default_rng(seed)
    for number in range(count):
        image = rng.integers(-128, 128, board.hello.image).astype(np.int8)
        board.learn(image, number % board.hello.classes)
    return board.state()


def test_what_was_learned_goes_to_another_board_and_is_saved_there(
    device_library, device, tmp_path, capsys
):
    learned = taught(Board(device, timeout_s=0.01))
    path = tmp_path / "learned.tmlh"
    with PseudoBoard(device.feed) as port:
        assert tool.main([port.port, "export", str(path)]) == tool.DONE
    device.restart()  # the power was cut: what was not saved is lost
    assert not np.array_equal(Board(device, 0.01).state(), learned)
    with PseudoBoard(device.feed) as port:
        assert tool.main([port.port, "import", str(path)]) == tool.DONE
        assert tool.main([port.port, "save"]) == tool.DONE
    told = capsys.readouterr().out
    assert f"export: {learned.nbytes:,} bytes of model" in told
    assert "import: what" in told
    device.restart()
    np.testing.assert_array_equal(Board(device, 0.01).state(), learned)


def test_the_file_is_a_slot_of_the_flash(device, board, tmp_path):
    learned = taught(board)
    assert board.save() == 1
    state.write(tmp_path / "learned", SavedState(board.hello.digest, learned), 1)
    content = (tmp_path / "learned").read_bytes()
    flash = device.library.device_flash
    flash.restype = np.ctypeslib.ctypes.POINTER(np.ctypeslib.ctypes.c_uint8)
    assert bytes(flash()[: len(content)]) == content


def test_another_models_file_is_refused_and_nothing_is_changed(board, tmp_path, device, capsys):
    learned, digest = taught(board), board.hello.digest
    other = SavedState(f"{int(digest, 16) ^ 1:016x}", np.zeros_like(learned))
    state.write(tmp_path / "other", other, 0)
    with PseudoBoard(device.feed) as port:
        assert tool.main([port.port, "import", str(tmp_path / "other")]) == tool.WRONG
    message = capsys.readouterr().err
    assert "was learned by another model, another first head or another kind of learner" in message
    assert digest in message
    np.testing.assert_array_equal(Board(device, 0.01).state(), learned)
    with pytest.raises(StateFileError, match=r"holds 8 bytes; the board's learner has"):
        state.check(tmp_path, SavedState(digest, np.zeros(2, np.float32)), digest, learned.nbytes)


def test_no_number_that_a_board_would_not_save_gets_into_it(board):
    learned = taught(board)
    for value in (np.nan, np.inf, 2e24):
        wrong = learned.copy()
        wrong[-1] = value
        with pytest.raises(BoardError) as error:
            board.set_state(wrong)
        assert error.value.status == Status.WRONG_HEAD
        assert np.isfinite(board.state()).all()
    for offset in (2, learned.nbytes, 2**32 - 4):
        with pytest.raises(BoardError) as error:
            board.request(Message.WRITE_STATE, struct.pack("<I", offset) + bytes(12))
        assert error.value.status == Status.WRONG_VALUE
    with pytest.raises(ValueError, match="state: must have"):
        board.set_state(learned[:-1])


def test_an_import_is_an_unsaved_update(board):
    learned = taught(board)
    board.save()
    board.set_state(learned)
    assert board.stats().unsaved_updates == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.data())
def test_a_damaged_file_is_told_from_a_whole_one(tmp_path_factory, count, seed, data):
    path = tmp_path_factory.mktemp("state") / "learned"
    numbers = np.random.default_rng(seed).normal(size=count).astype(np.float32)
    state.write(path, SavedState("0123456789abcdef", numbers), seed)
    np.testing.assert_array_equal(state.read(path).numbers, numbers)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    cut = data.draw(st.booleans())
    if cut:
        del content[at:]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(StateFileError, match="learned: "):
        state.read(path)


def test_a_file_of_numbers_that_are_not_finite_is_refused(tmp_path):
    path = tmp_path / "learned"
    state.write(path, SavedState("0123456789abcdef", np.array([1, np.nan], np.float32)), 0)
    assert zlib.crc32(path.read_bytes()[: HEADER.size - 4])
    with pytest.raises(StateFileError, match="not finite"):
        state.read(path)
    for wrong in (tmp_path, tmp_path / "none"):
        with pytest.raises(StateFileError):
            state.read(wrong)


@pytest.mark.parametrize("expected_ms", [0, 100])
def test_the_host_waits_as_long_as_hello_says_that_the_board_needs(
    device_library, monkeypatch, expected_ms
):
    """And not the fixed time alone: a reply that comes late is not asked for again."""
    parse = Hello.parse

    def slow(payload):
        return replace(parse(payload), classify_ms=expected_ms, learn_ms=expected_ms)

    monkeypatch.setattr(Hello, "parse", slow)

    class Late(Device):
        def read(self, timeout_s):
            time.sleep(min(timeout_s, 0.05))
            if time.monotonic() < self.ready:
                return b""
            return super().read(timeout_s)

        def write(self, data):
            super().write(data)
            self.ready = time.monotonic() + self.delay

    line = Late(device_library)
    line.ready = line.delay = 0.0
    board = Board(line, timeout_s=0.02, tries=1)
    image = np.zeros(board.hello.image, np.int8)
    line.delay, writes = 0.25, line.writes
    if expected_ms:
        board.learn(image, 0)
    else:
        with pytest.raises(TimeoutError):
            board.learn(image, 0)
    assert line.writes == writes + 1
