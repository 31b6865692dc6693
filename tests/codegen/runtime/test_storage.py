"""Saved heads: killed at every single operation of a save, the old or the new one comes back."""

from __future__ import annotations

import ctypes
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

HARNESS = Path(__file__).parents[2] / "support" / "cpp" / "storage_harness.cpp"
INCLUDE = Path(__file__).parents[3] / "codegen"
FLAGS = "-std=c++17 -O1 -Wall -Wextra -Wconversion -Werror -fno-exceptions -fno-rtti -shared -fPIC"
UNDEFINED = "-fsanitize=undefined -fno-sanitize-recover -static-libubsan"
GEOMETRIES = [  # bytes of a programming unit, a sector, a slot
    (1, 64, 64),
    (4, 32, 96),
    (8, 64, 128),
    (16, 64, 128),
    (32, 256, 256),
]
HEADER = struct.Struct("<4s3I8s2I")
BLOCK_BYTES = 30


class _Outcome(ctypes.Structure):
    _fields_ = [
        ("done", ctypes.c_int32),
        ("sequence", ctypes.c_uint32),
        ("erasures", ctypes.c_int32),
        ("programs", ctypes.c_int32),
        ("misuses", ctypes.c_int32),
    ]


class Slots:
    """A flash memory's content, and what the firmware does with it."""

    def __init__(self, harness, geometry, content=None):
        self.harness, self.geometry = harness, geometry
        self.write, self.sector, self.slot = GEOMETRIES[geometry]
        blank = np.full(2 * self.slot, 0xFF, np.uint8)
        self.content = blank if content is None else content.copy()

    def copy(self):
        return Slots(self.harness, self.geometry, self.content)

    def run(self, block, out, size, digest=0, cut_at=-1, torn=False, seed=1):
        outcome = _Outcome()
        self.harness.slots_run(
            self.geometry,
            self.content.ctypes.data_as(ctypes.c_void_p),
            size,
            block,
            out,
            ctypes.c_uint32(digest),
            cut_at,
            int(torn),
            ctypes.c_uint32(seed),
            ctypes.byref(outcome),
        )
        assert outcome.misuses == 0, "unaligned, outside, or programmed without being erased"
        return outcome

    def save(self, block, **cut):
        return self.run(block, None, len(block), **cut)

    def load(self, size=BLOCK_BYTES, digest=0):
        """The block that a restarted board finds, or None."""
        out = ctypes.create_string_buffer(b"\xa5" * size, size)
        if self.run(None, out, size, digest).done:
            return out.raw
        assert out.raw == b"\xa5" * size, "what is not loaded is not touched"
        return None

    def header(self, slot):
        return HEADER.unpack_from(self.content, slot * self.slot)

    def set_sequence(self, slot, sequence):
        magic, form, _, size, digest, crc, _ = self.header(slot)
        head = HEADER.pack(magic, form, sequence, size, digest, crc, 0)[:-4]
        packed = head + struct.pack("<I", zlib.crc32(head))
        start = slot * self.slot
        self.content[start : start + HEADER.size] = np.frombuffer(packed, np.uint8)


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    library = tmp_path_factory.mktemp("harness") / "storage.so"
    command = f"g++ {FLAGS} {UNDEFINED} -I{INCLUDE} {HARNESS} -o {library}"
    subprocess.run(command.split(), check=True)
    return ctypes.CDLL(str(library))


@pytest.fixture(params=range(len(GEOMETRIES)), ids=lambda number: str(GEOMETRIES[number]))
def blank(harness, request):
    return Slots(harness, request.param)


def block(number):
    """Bytes that differ in most places between numbers, with zeros and 0xFF among them."""
    rng = np.random.default_rng(number)
    return bytes([0, 0xFF]) + rng.integers(0, 256, BLOCK_BYTES - 2, np.uint8).tobytes()


def operations(slots, data):
    done = slots.copy().save(data)
    return done.erasures + done.programs


def test_an_empty_flash_has_no_head(blank):
    assert blank.load() is None
    blank.content[:] = 0
    assert blank.load() is None


def test_what_is_saved_comes_back(blank):
    for number in range(1, 6):
        outcome = blank.save(block(number))
        assert (outcome.done, outcome.sequence) == (1, number)
        assert blank.load() == block(number)


def test_what_is_saved_already_erases_nothing(blank):
    for number in (1, 2, 3):
        blank.save(block(number))
        before = blank.content.copy()
        again = blank.save(block(number))
        assert (again.done, again.sequence) == (1, number)
        assert (again.erasures, again.programs) == (0, 0)
        np.testing.assert_array_equal(blank.content, before)
    # The older one is another: going back to it is a save.
    back = blank.save(block(2))
    assert (back.done, back.sequence) == (1, 4)
    assert back.erasures > 0
    assert blank.load() == block(2)


@given(bit=st.integers(0, 8 * BLOCK_BYTES - 1))
@settings(max_examples=30, deadline=None)
def test_a_head_that_differs_by_one_bit_is_saved(harness, bit):
    slots = Slots(harness, 1)
    slots.save(block(1))
    changed = bytearray(block(1))
    changed[bit // 8] ^= 1 << bit % 8
    assert slots.save(bytes(changed)).sequence == 2
    assert slots.load() == bytes(changed)


def test_numbers_count_on_over_another_models_heads(blank):
    """So that they tell of the wear of the flash, not of one model's saves."""
    for number in range(1, 4):
        assert blank.save(block(number)).sequence == number
    assert blank.save(block(9), digest=1).sequence == 4
    assert blank.load(digest=1) == block(9)
    assert blank.save(block(8), digest=1).sequence == 5
    assert blank.load() is None


def test_the_layout_is_the_documented_one(blank):
    blank.save(block(1))
    data = block(1)
    digest = struct.pack("<2I", 0x12345678, 0x9ABCDEF0)
    head = HEADER.pack(b"TMLH", 1, 1, BLOCK_BYTES, digest, zlib.crc32(data), 0)[:-4]
    expected = head + struct.pack("<I", zlib.crc32(head)) + data
    assert blank.content[: len(expected)].tobytes() == expected
    assert set(blank.content[len(expected) :].tolist()) == {0xFF}


def test_saves_take_turns_so_that_each_slot_wears_half(blank):
    sectors = -(-(HEADER.size + BLOCK_BYTES) // blank.sector)
    for number in range(1, 5):
        before = blank.content.copy()
        assert blank.save(block(number)).erasures == sectors
        changed = np.flatnonzero(before != blank.content) // blank.slot
        assert set(changed.tolist()) == {(number - 1) % 2}


@pytest.mark.parametrize("saves", [0, 1, 2, 3])
def test_a_power_cut_at_any_operation_leaves_the_old_or_the_new_head(blank, saves):
    for number in range(saves):
        blank.save(block(number))
    old = block(saves - 1) if saves else None
    new = block(saves)
    total = operations(blank, new)
    assert total > 2
    for cut_at in range(total):
        for torn, seed in [(False, 1), *((True, seed) for seed in range(1, 13))]:
            slots = blank.copy()
            assert slots.save(new, cut_at=cut_at, torn=torn, seed=seed).done == 0
            found = slots.load()
            # A torn unit may hold all of its bits; only the last one then completes the save.
            allowed = (old, new) if torn and cut_at == total - 1 else (old,)
            assert found in allowed, (cut_at, torn, seed)
            # The board goes on: the next save succeeds, and replaces what was found.
            assert slots.save(block(99)).done == 1
            assert slots.load() == block(99)
    assert blank.copy().save(new, cut_at=total).done == 1


def test_a_cut_during_the_save_after_a_cut_changes_nothing(harness):
    """Two cuts in a row, at every pair of operations."""
    slots = Slots(harness, 2)
    slots.save(block(1))
    total = operations(slots, block(2))
    for first in range(total):
        once = slots.copy()
        once.save(block(2), cut_at=first, torn=True, seed=first)
        for second in range(total):
            twice = once.copy()
            twice.save(block(3), cut_at=second, torn=True, seed=second + 77)
            assert twice.load() in (block(1), block(2), block(3))
            if first < total - 1 and second < total - 1:
                assert twice.load() == block(1)


def test_a_sector_that_an_interrupted_erase_left_as_it_was_stays_the_older_one(blank):
    """An erase may stop before any bit has changed: the older head is still there, and older."""
    blank.save(block(1))
    blank.save(block(2))
    assert blank.copy().load() == block(2)
    blank.save(block(3), cut_at=0)
    assert blank.load() == block(2)


@pytest.mark.parametrize("start", [0xFFFFFFFD, 0x7FFFFFFD])
def test_sequence_numbers_wrap(blank, start):
    blank.save(block(0))
    blank.set_sequence(0, start)
    for number in range(1, 8):
        outcome = blank.save(block(number))
        assert outcome.sequence == (start + number) % 2**32
        assert blank.load() == block(number)
        assert {blank.header(0)[2], blank.header(1)[2]} == {
            (start + number) % 2**32,
            (start + number - 1) % 2**32,
        }


def test_a_damaged_slot_gives_way_to_the_other_and_two_to_the_factory_head(blank):
    blank.save(block(1))
    blank.save(block(2))
    newest = blank.copy()
    newest.content[blank.slot + HEADER.size + 5] ^= 0x10
    assert newest.load() == block(1)
    newest.content[HEADER.size + 5] ^= 0x10
    assert newest.load() is None
    assert newest.save(block(3)).done == 1
    assert newest.load() == block(3)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_damage_of_a_slot_is_noticed(harness, data):
    slots = Slots(harness, 1)
    slots.save(block(1))
    slots.save(block(2))
    used = HEADER.size + BLOCK_BYTES
    for at in data.draw(st.lists(st.integers(0, used - 1), min_size=1, max_size=5, unique=True)):
        slots.content[slots.slot + at] ^= data.draw(st.integers(1, 255))
    assert slots.load() == block(1)


def test_a_head_of_another_model_or_size_is_not_loaded(blank):
    blank.save(block(1))
    assert blank.load(digest=1) is None
    assert blank.load(size=BLOCK_BYTES - 1) is None
    assert blank.load() == block(1)


def test_another_format_is_not_loaded(blank):
    blank.save(block(1))
    magic, _, *rest = blank.header(0)
    head = HEADER.pack(magic, 2, *rest)[:-4]
    packed = head + struct.pack("<I", zlib.crc32(head))
    blank.content[: HEADER.size] = np.frombuffer(packed, np.uint8)
    assert blank.load() is None


def test_a_block_that_does_not_fit_is_refused(blank):
    before = blank.content.copy()
    data = bytes(blank.slot - HEADER.size + 1)
    assert blank.save(data).done == 0
    np.testing.assert_array_equal(blank.content, before)
    assert blank.save(bytes(blank.slot - HEADER.size)).done == 1
