"""The driver of the STM32F4's and F7's flash, over a model of the controller."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

HARNESS = Path(__file__).parents[2] / "support" / "cpp" / "stm32_flash_harness.cpp"
INCLUDE = Path(__file__).parents[3] / "codegen"
FLAGS = "-std=c++17 -O1 -Wall -Wextra -Wconversion -Werror -fno-exceptions -fno-rtti -shared -fPIC"
SECTOR = 256


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    library = tmp_path_factory.mktemp("harness") / "stm32.so"
    subprocess.run(f"g++ {FLAGS} -I{INCLUDE} {HARNESS} -o {library}".split(), check=True)
    return ctypes.CDLL(str(library))


class Chip:
    def __init__(self, harness, content=None):
        self.harness = harness
        self.content = np.zeros(2 * SECTOR, np.uint8) if content is None else content.copy()

    def run(self, size, block=None, protect=0, cut_at=-1):
        out = ctypes.create_string_buffer(size)
        counts = [ctypes.c_int() for _ in range(3)]
        content = self.content.ctypes.data_as(ctypes.c_void_p)
        done = self.harness.stm32_run(
            content, size, block, out, protect, cut_at, *map(ctypes.byref, counts)
        )
        violations, self.operations, locked = (count.value for count in counts)
        assert violations == 0, "against the reference manual"
        assert locked == 1, "left unlocked"
        return bool(done), out.raw


def block(number, size):
    return np.random.default_rng(number).integers(0, 256, size, np.uint8).tobytes()


@pytest.mark.parametrize("size", [4, 101, SECTOR - 32])
def test_heads_are_saved_and_loaded(harness, size):
    chip = Chip(harness)
    assert chip.run(size)[0] is False
    for number in range(4):
        assert chip.run(size, block(number, size))[0]
        assert chip.operations == 1 + -(-size // 4) + 8
        assert chip.run(size) == (True, block(number, size))


def test_a_cut_at_any_operation_leaves_the_old_head(harness):
    size = 50
    old = Chip(harness)
    old.run(size, block(1, size))
    whole = Chip(harness, old.content)
    whole.run(size, block(2, size))
    for cut_at in range(whole.operations):
        chip = Chip(harness, old.content)
        assert chip.run(size, block(2, size), cut_at=cut_at)[0] is False
        assert chip.run(size) == (True, block(1, size))


def test_a_protected_sector_is_reported_and_its_error_does_not_stay(harness):
    chip = Chip(harness)
    assert chip.run(20, block(1, 20), protect=1)[0] is False
    assert chip.run(20, block(1, 20))[0]
