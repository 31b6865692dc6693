"""Drivers of flash memories, most of them with ECC, over models of their controllers."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen.boards.board import load, names
from tests.support.needs import needs_arm_compiler
from tools.code_size.stack import functions

HARNESS = Path(__file__).parents[2] / "support" / "cpp" / "flash_harness.cpp"
INCLUDE = Path(__file__).parents[3] / "codegen"
FLAGS = "-std=c++17 -O1 -Wall -Wextra -Wconversion -Werror -fno-exceptions -fno-rtti -shared -fPIC"
SECTOR = 256
UNITS = {"nrf": 4, "stm32l4": 8, "stm32g0": 8, "stm32h743": 32, "stm32h7a3": 16, "rp": 32}
PLAIN = ("nrf", "rp")
"""Without ECC, and without a word on what went wrong."""
SEEDS = range(1, 4)
REGIONS = {"BOOT": "FLASH", "TEST_FLASH": "FLASH", "TEST_RAM": "RAM"}


def address_of(program: Path, symbol: str) -> int:
    """Where a function of a linked program lies."""
    listed = subprocess.run(
        ["arm-none-eabi-nm", program], check=True, capture_output=True, text=True
    )
    (line,) = (line for line in listed.stdout.splitlines() if line.endswith(f" {symbol}"))
    return int(line.split()[0], 16)


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    library = tmp_path_factory.mktemp("harness") / "flash.so"
    subprocess.run(f"g++ {FLAGS} -I{INCLUDE} {HARNESS} -o {library}".split(), check=True)
    return ctypes.CDLL(str(library))


class Chip:
    def __init__(self, harness, name):
        self.harness, self.name = harness, name
        rng = np.random.default_rng(3)
        self.content = rng.integers(0, 255, 2 * SECTOR).astype(np.uint8)  # another program's
        self.broken = np.zeros(2 * SECTOR, np.uint8)

    def copy(self):
        chip = Chip(self.harness, self.name)
        chip.content, chip.broken = self.content.copy(), self.broken.copy()
        return chip

    def run(self, size, block=None, protect=0, cut_at=-1, seed=1):
        out = ctypes.create_string_buffer(size)
        counts = [ctypes.c_int() for _ in range(3)]
        done = self.harness.flash_run(
            list(UNITS).index(self.name),
            *(array.ctypes.data_as(ctypes.c_void_p) for array in (self.content, self.broken)),
            *(size, block, out, protect, cut_at, ctypes.c_uint32(seed)),
            *map(ctypes.byref, counts),
        )
        violations, self.operations, at_rest = (count.value for count in counts)
        assert violations == 0, "against the reference manual"
        assert at_rest == 1, "left open"
        return bool(done), out.raw


@pytest.fixture(params=UNITS)
def chip(harness, request):
    return Chip(harness, request.param)


def block(number, size):
    return np.random.default_rng(number).integers(0, 256, size, np.uint8).tobytes()


@pytest.mark.parametrize("size", [4, 101, SECTOR - 32])
def test_heads_are_saved_and_loaded(chip, size):
    unit = UNITS[chip.name]
    assert chip.run(size)[0] is False
    for number in range(4):
        assert chip.run(size, block(number, size))[0]
        assert chip.operations == 1 + -(-size // unit) + 32 // unit
        assert chip.run(size) == (True, block(number, size))


def test_a_cut_in_the_middle_of_any_operation_leaves_the_old_head_readable(chip):
    """What the cut broke is read without a fault, and the next save makes it whole."""
    size = 50
    chip.run(size, block(1, size))
    whole = chip.copy()
    whole.run(size, block(2, size))
    unreadable = 0
    for cut_at in range(whole.operations):
        for seed in SEEDS:
            cut = chip.copy()
            assert cut.run(size, block(2, size), cut_at=cut_at, seed=seed)[0] is False
            unreadable += int(cut.broken.any())
            last = cut_at == whole.operations - 1 and not cut.broken.any()
            heads = (block(1, size), block(2, size)) if last else (block(1, size),)
            loaded, found = cut.run(size)
            assert loaded
            assert found in heads
            assert cut.run(size, block(3, size))[0]
            assert cut.run(size) == (True, block(3, size))
            assert not cut.broken.any()
    assert bool(unreadable) == (chip.name not in PLAIN)


def test_two_cuts_in_a_row_leave_the_old_head(chip):
    size = 20
    chip.run(size, block(1, size))
    whole = chip.copy()
    whole.run(size, block(2, size))
    for first in range(whole.operations - 1):
        for second in range(whole.operations - 1):
            cut = chip.copy()
            cut.run(size, block(2, size), cut_at=first, seed=first + 1)
            cut.run(size, block(3, size), cut_at=second, seed=second + 5)
            assert cut.run(size) == (True, block(1, size))


def test_a_protected_sector_is_reported_and_its_error_does_not_stay(chip):
    if chip.name in PLAIN:
        pytest.skip("its controller reports no errors")
    assert chip.run(20, block(1, 20), protect=1)[0] is False
    assert chip.run(20, block(1, 20))[0]


def test_which_boards_have_a_driver():
    drivers = {name: load(name).flash_type for name in names()}
    known = {name: kind for name, kind in drivers.items() if kind != "NoFlash"}
    assert known == {
        "arduino_nano33ble": "NrfFlash<0x000F8000U, 4096, 16384>",
        "nucleo_1mb": "Stm32H7Flash<Stm32H7A3, 0x081F8000U, 8192, 16384, 124, 2>",
        "nucleo_f446re": "Stm32F4Flash<0x08004000U, 16384, 16384, 1>",
        "nucleo_f767zi": "Stm32F4Flash<0x08008000U, 32768, 32768, 1>",
        "nucleo_g0b1re": "Stm32L4Flash<Stm32G0, 0x08078000U, 2048, 16384, 368, 2>",
        "nucleo_h743zi": "Stm32H7Flash<Stm32H743, 0x081C0000U, 131072, 131072, 6, 2>",
        "nucleo_l4r5zi": "Stm32L4Flash<Stm32L4, 0x081F8000U, 4096, 16384, 248, 2>",
        "pico": "RpFlash<Rp2040, 0x101F8000U, 4096, 16384>",
        "pico2": "RpFlash<Rp2350, 0x103F8000U, 4096, 16384>",
    }


@pytest.mark.parametrize("name", [n for n in names() if load(n).storage.bank])
def test_the_numbers_of_a_boards_pages_are_those_of_their_addresses(name):
    """Banks of half the flash; pages count from the start of their bank, on a G0's second from 256."""
    board = load(name)
    bank_bytes = (board.flash_bytes + board.storage_bytes) // 2
    bank, offset = divmod(board.storage_origin - board.flash_origin, bank_bytes)
    assert board.storage.bank == bank + 1
    first = 256 * bank if board.storage.driver == "stm32g0_flash" else 0
    assert board.storage.first_sector == first + offset // board.erase_bytes


@needs_arm_compiler
@pytest.mark.parametrize("name", ["pico", "pico2"])
def test_what_writes_a_picos_flash_lies_in_ram_and_needs_nothing_of_the_flash(tmp_path, name):
    """Also where gcc would rather call memcpy."""
    compiler = ["arm-none-eabi-g++", *load(name).core_flags, "-std=c++17", "-fno-exceptions"]
    source, linked = INCLUDE / "runtime" / "storage" / "rp_flash.cpp", tmp_path / "rp.elf"
    (tmp_path / "main.cpp").write_text(
        '#include "runtime/storage/rp_flash.hpp"\n'
        f"using namespace tinyml;\n{load(name).flash_type} flash;\n"
        "int main() { return flash.erase(0) ? 0 : 1; }\n"
    )
    script = INCLUDE / "templates" / "platform" / "sections.ld"
    memory = "MEMORY { FLASH (rx) : ORIGIN = 0x10000000, LENGTH = 1M  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 64K }\n"
    regions = "".join(f'REGION_ALIAS("{name}", {of});\n' for name, of in REGIONS.items())
    (tmp_path / "link.ld").write_text(f"{memory}{regions}STACK_BYTES = 4096;\nINCLUDE {script}\n")
    for level in ("-Os", "-O2", "-O3"):
        flags = [level, f"-I{INCLUDE}", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
        link = ["-nostartfiles", "--specs=nano.specs", f"-T{tmp_path / 'link.ld'}", "-Wl,-emain"]
        made = [*compiler, *flags, *link, str(source), str(tmp_path / "main.cpp")]
        subprocess.run([*made, "-o", str(linked)], check=True)
        code = functions(linked)
        for function in ("tinyml_rp_flash", "tinyml_rp2350_resume"):
            if function in code:
                assert address_of(linked, function) >> 28 == 2
                assert not code[function].calls
                assert code[function].pointers
        assert ("tinyml_rp2350_resume" in code) >= (name == "pico2")
