"""A board for each core that is measured, with memory enough for the networks."""

from __future__ import annotations

from codegen.boards.board import load

BOARDS = {
    board.core: board
    for board in map(load, ("nucleo_g0b1re", "nucleo_l4r5zi", "nucleo_1mb", "pico2", "corstone300"))
}
