"""A board for each core that is measured: memory enough for any network, and its emulator."""

from __future__ import annotations

from codegen.board import Board

KIB = 1024


def _board(core: str, emulator: str, flash_origin: int, ram_origin: int, kib: int = 1024) -> Board:
    return Board(
        name=core.replace("-", "_"),
        core=core,
        clock_hz=100_000_000,
        flash_origin=flash_origin,
        flash_bytes=kib * KIB,
        ram_origin=ram_origin,
        ram_bytes=kib * KIB,
        emulator=emulator,
    )


BOARDS = {
    "cortex-m4": _board("cortex-m4", "mps2-an386", 0, 0x20000000),
    "cortex-m7": _board("cortex-m7", "mps2-an500", 0, 0x20000000),
    "cortex-m33": _board("cortex-m33", "mps2-an505", 0x10000000, 0x38000000),
    "cortex-m55": _board("cortex-m55", "mps3-an547", 0, 0x20000000, kib=512),
}

TEST_REGIONS = {  # where an emulator has room for test programs and their data, 1 MB each
    "mps2-an386": (0x00300000, 0x20300000),
    "mps2-an500": (0x00300000, 0x20300000),
    "mps2-an505": (0x10300000, 0x38300000),
    "mps3-an547": (0x01000000, 0x21000000),
}


def linker_script(board: Board) -> str:
    """``platform/emulator.ld`` for machines that the project's own does not know."""
    test_flash, test_ram = TEST_REGIONS[board.emulator]
    return f"""MEMORY
{{
  FLASH (rx) : ORIGIN = {board.flash_origin:#x}, LENGTH = {board.flash_bytes}
  RAM (rwx) : ORIGIN = {board.ram_origin:#x}, LENGTH = {board.ram_bytes}
  TEST_FLASH (rx) : ORIGIN = {test_flash:#x}, LENGTH = 1M
  TEST_RAM (rwx) : ORIGIN = {test_ram:#x}, LENGTH = 1M
}}
STACK_BYTES = {board.stack_bytes};
INCLUDE sections.ld
"""
