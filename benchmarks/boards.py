"""A board for each core that is measured, with memory enough for the networks."""

from __future__ import annotations

from dataclasses import replace

from codegen.boards.board import Board, load

BOARDS = {
    board.core: board
    for board in map(load, ("nucleo_g0b1re", "nucleo_l4r5zi", "nucleo_1mb", "pico2", "corstone300"))
}


def board_of(core: str) -> Board:
    """A board with ``core``. There is none with a Cortex-M3, whose emulator is the Cortex-M4's."""
    return BOARDS.get(core) or replace(BOARDS["cortex-m4"], core=core)
