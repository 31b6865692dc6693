"""A board for each core that is measured: memory enough for any network, and its emulator."""

from __future__ import annotations

from codegen.board import Board
from codegen.machines import MACHINES

KIB = 1024


def _board(core: str, emulator: str, kib: int = 1024) -> Board:
    machine = MACHINES[emulator]
    return Board(
        name=core.replace("-", "_"),
        core=core,
        clock_hz=100_000_000,
        flash_origin=machine.flash.origin,
        flash_bytes=kib * KIB,
        ram_origin=machine.ram.origin,
        ram_bytes=kib * KIB,
        emulator=emulator,
    )


BOARDS = {
    "cortex-m4": _board("cortex-m4", "mps2-an386"),
    "cortex-m7": _board("cortex-m7", "mps2-an500"),
    "cortex-m33": _board("cortex-m33", "mps2-an505"),
    "cortex-m55": _board("cortex-m55", "mps3-an547", kib=512),
}
