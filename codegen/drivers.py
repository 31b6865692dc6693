"""Which drivers the firmware of a board is built with: its serial port.

A driver is a source file in ``runtime/serial/`` and the macros that it wants. Boards that are not
named here get ``user.cpp``, whose functions do nothing until the user's own replace them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from codegen.board import Board


@dataclass(frozen=True)
class SerialDriver:
    """A source file of ``runtime/serial/`` and its macros, as ``NAME=value``."""

    source: str
    definitions: tuple[str, ...] = ()


USER = SerialDriver("user.cpp")


def _cmsdk(address: int) -> SerialDriver:
    return SerialDriver("cmsdk_uart.cpp", (f"TINYML_UART_BASE=0x{address:08X}U",))


# UART0 of each machine, as `info mtree` shows it; on cores with TrustZone its secure alias.
EMULATED: Mapping[str, SerialDriver] = MappingProxyType(
    {
        "mps2-an385": _cmsdk(0x40004000),
        "mps2-an386": _cmsdk(0x40004000),
        "mps2-an500": _cmsdk(0x40004000),
        "mps2-an505": _cmsdk(0x50200000),
        "mps3-an547": _cmsdk(0x59303000),
    }
)
# The port behind each board's USB socket (ST-LINK's virtual COM port).
BOARDS: Mapping[str, SerialDriver] = MappingProxyType(
    {
        "nucleo_f446re": SerialDriver("stm32f4_usart2.cpp"),
    }
)


def serial_driver(board: Board) -> SerialDriver:
    """The driver of the board's own serial port."""
    return BOARDS.get(board.name, USER)


def emulated_serial_driver(board: Board) -> SerialDriver:
    """The driver for the board's emulated machine."""
    return EMULATED.get(board.emulator, USER)
