"""Which drivers the firmware of a board is built with: its serial port, and its flash.

A serial driver is a source file in ``runtime/serial/`` and the macros that it wants; a flash driver
a class in ``runtime/storage/``. Boards that are not named here get ``user.cpp``, whose functions do
nothing until the user's own replace them, and ``NoFlash``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from codegen.boards.board import Board


@dataclass(frozen=True)
class SerialDriver:
    """A source file of ``runtime/serial/`` and its macros, as ``NAME=value``."""

    source: str
    definitions: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlashDriver:
    """A header of ``runtime/storage/`` and the type in it, a C++ expression."""

    header: str
    type: str


def _cmsdk(address: int) -> SerialDriver:
    return SerialDriver("cmsdk_uart.cpp", (f"TINYML_UART_BASE=0x{address:08X}U",))


def _nucleo(wiring: str) -> SerialDriver:
    return SerialDriver("stm32_usart.cpp", (f"TINYML_WIRING={wiring}",))


USER = SerialDriver("user.cpp")
# UART0 of each machine, as `info mtree` shows it; on cores with TrustZone its secure alias.
MACHINES: Mapping[str, SerialDriver] = MappingProxyType(
    {
        "mps2-an386": _cmsdk(0x40004000),
        "mps2-an500": _cmsdk(0x40004000),
        "mps2-an505": _cmsdk(0x50200000),
        "mps3-an547": _cmsdk(0x59303000),
    }
)
# The port behind each board's USB socket (ST-LINK's virtual COM port); Arm's own UART on the MPS3.
BOARDS: Mapping[str, SerialDriver] = MappingProxyType(
    {
        "corstone300": MACHINES["mps3-an547"],
        "nucleo_1mb": _nucleo("kNucleo1mb"),
        "nucleo_f446re": _nucleo("kNucleoF446re"),
        "nucleo_f767zi": _nucleo("kNucleoF767zi"),
        "nucleo_h743zi": _nucleo("kNucleoH743zi"),
        "nucleo_l4r5zi": _nucleo("kNucleoL4r5zi"),
    }
)
# The sector of an STM32F4's or F7's flash with which the storage of a board begins.
STM32F4_SECTORS: Mapping[str, int] = MappingProxyType({"nucleo_f446re": 1, "nucleo_f767zi": 1})


def serial_driver(board: Board) -> SerialDriver:
    """The driver of the board's own serial port."""
    return BOARDS.get(board.name, USER)


def emulated_serial_driver(board: Board) -> SerialDriver:
    """The driver for the board's emulated machine."""
    return MACHINES.get(board.emulator, USER)


def flash_driver(board: Board) -> FlashDriver:
    """The driver of the board's own flash, over its two slots of storage."""
    sector = STM32F4_SECTORS.get(board.name)
    if sector is None or not board.storage_bytes:
        return FlashDriver("flash.hpp", "NoFlash")
    slot = board.storage_bytes // 2
    region = f"0x{board.storage_origin:08X}U, {board.erase_bytes}, {slot}, {sector}"
    return FlashDriver("stm32f4_flash.hpp", f"Stm32F4Flash<{region}>")
