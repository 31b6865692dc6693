"""The boards in conf/device: real ones, and what each can be built and emulated with."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from codegen.board import Board
from codegen.target import MACHINES

DEVICES = sorted((Path(__file__).parents[2] / "conf" / "device").glob("nucleo_*.yaml"))


def board_of(path: Path) -> Board:
    fields = OmegaConf.to_container(OmegaConf.load(path))
    fields.pop("defaults", None)
    assert fields.pop("_target_") == "codegen.board.Board"
    return Board(**fields)


def test_the_three_boards_are_there():
    assert [path.stem for path in DEVICES] == ["nucleo_1mb", "nucleo_f446re", "nucleo_l4r5zi"]


@pytest.mark.parametrize("path", DEVICES, ids=lambda path: path.stem)
def test_board(path):
    board = board_of(path)
    assert board.name == path.stem
    assert board.core in MACHINES[board.emulator]
    assert board.source
    # platform/emulator.ld keeps the last of 4 MB for tests.
    assert max(board.flash_bytes, board.ram_bytes) <= 3 * 1024 * 1024
    assert board.flash_origin == 0x08000000


def test_the_thesis_board_has_one_megabyte_in_one_region():
    board = board_of(DEVICES[0])
    assert (board.ram_origin, board.ram_bytes) == (0x24000000, 1024 * 1024)
    assert board.flash_bytes == 2 * 1024 * 1024
