"""A fault on an emulated board: it is told, the board starts anew, and the host's tool says what it was."""

from __future__ import annotations

import re
from contextlib import closing

import numpy as np
import pytest

from codegen.link import faults
from codegen.link.client import Board
from codegen.link.faults import FaultError
from codegen.link.port import SerialPort
from tests.codegen.link.emulated import Emulator, build_firmware
from tests.support.needs import needs_board_tools

# The firmware, but that a label of the last class makes it fault in the way that the image's first
# pixel says.
PROVOKED = """\
  if (label == Config::kClasses - 1) provoke(Model::image()[0]);
  // Predicted again: since"""
PROVOKE = """\
void provoke(int how) {
  const std::uint32_t below = 0x20000000U - 64U;
  if (how == 0) __asm volatile("mov r3, #77\\n udf #1" ::: "r3");
  if (how == 1) *reinterpret_cast<volatile int*>(0xA0000000U) = 5;
  if (how == 2) reinterpret_cast<void (*)()>(0x100)();
  // QEMU has memory that forgets below the stack, where a board has none.
  if (how == 3) __asm volatile("mov sp, %0\\n udf #2" ::"r"(below));
}

/// In replies; not"""
KINDS = {
    "cortex-m4": (
        ("UsageFault", "an undefined instruction"),
        ("BusFault", "there is no memory at bfar"),
        ("UsageFault", "no Thumb code"),
        ("stack", "its pointer is below the stack"),
    ),
    "cortex-m0plus": (
        ("HardFault", ""),
        ("HardFault", ""),
        ("HardFault", ""),
        ("stack", "its pointer is below the stack"),
    ),
}


@needs_board_tools
@pytest.mark.parametrize("core", sorted(KINDS))
def test_a_fault_is_told_and_the_board_starts_anew(emit_identity, tmp_path, core):
    project, tree = emit_identity(core=core)
    source = tree / "platform" / "application.cpp"
    text = source.read_text()
    for mark, new in (("  // Predicted again: since", PROVOKED), ("/// In replies; not", PROVOKE)):
        assert mark in text
        text = text.replace(mark, new, 1)
    source.write_text(text)
    program = build_firmware(tree, tmp_path / "build")
    with (
        Emulator(project.board.emulator, program, tmp_path) as emulator,
        closing(SerialPort(emulator.port)) as port,
    ):
        for number, (kind, cause) in enumerate(KINDS[core]):
            board = Board(port, 3.0)
            image = np.full(board.hello.image, number, np.int8)
            assert board.learn(image, 0).prediction < board.hello.classes
            with pytest.raises(FaultError) as error:
                board.learn(image, board.hello.classes - 1)
            told = str(error.value)
            assert re.search(rf"started anew: {kind}( \(|: ipsr=00000003)", told), told
            assert cause in told
            if number == 0:
                assert "r3=0000004d" in told
            again = Board(port, 3.0)
            assert again.stats().samples == 0, "what was not saved is lost"


def test_noise_is_no_fault():
    assert faults.text_of(b"FAULT HardFault ipsr=3\r\n") == "FAULT HardFault ipsr=3"
    for piece in (b"FAULTY", b"", b"FAULT \xff", b"FAULT " + bytes(400), b"a FAULT "):
        assert faults.text_of(piece) is None
