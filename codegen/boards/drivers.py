"""Which drivers the firmware of a board is built with: its serial port, and the flash it saves to.

Both are part of a board's own file, so that a board of the user's can have every driver that there
is. A serial driver is a source file in ``runtime/serial/`` with the macros that it wants; a storage
driver is a class in ``runtime/storage/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Literal, get_args

from codegen.boards.regions import ADDRESS_SPACE_BYTES

SerialName = Literal["user", "cmsdk_uart", "nrf_uart", "stm32_usart"]
StorageName = Literal[
    "none",
    "nrf_flash",
    "rp2040_flash",
    "rp2350_flash",
    "stm32f4_flash",
    "stm32g0_flash",
    "stm32h743_flash",
    "stm32h7a3_flash",
    "stm32l4_flash",
]
PINS = {"nrf_uart": 48, "stm32_usart": 16}  # of a port; an nRF counts on from port to port
NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "user": (),
        "cmsdk_uart": ("address",),
        "nrf_uart": ("address", "pins"),
        "stm32_usart": ("address", "registers", "clock_hz", "gpio", "pins", "enables"),
    }
)
TAKES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"user": (), "cmsdk_uart": (), "nrf_uart": (), "stm32_usart": ("alternate",)}
)
ENABLES = 4  # as many as runtime/serial/stm32_usart.cpp has seen a chip need, and no more


@dataclass(frozen=True)
class SerialPort:
    """Table ``serial`` of a board: the port behind its USB socket.

    ``user`` is a file whose functions do nothing until the user's own replace them; it takes no
    other key. ``cmsdk_uart`` wants the ``address`` of its registers. ``nrf_uart`` wants ``pins`` too:
    those that send and receive, 32 and more on port P1. ``stm32_usart`` wants also

    - ``registers``: 1 on STM32F1, F2 and F4, 2 on F7, H7, L4 and later
    - ``clock_hz``: what feeds it once the clocks are set up, 256 times that for an LPUART
    - ``gpio``, ``pins``, ``alternate``: the port's address, its two pins and their function
    - ``enables``: an address and a bit of each register that switches a part on, in order
    """

    driver: SerialName = "user"
    address: int = 0
    registers: int = 0
    clock_hz: int = 0
    gpio: int = 0
    pins: tuple[int, ...] = ()
    alternate: int = 0
    enables: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        _one_of("driver", self.driver, get_args(SerialName))
        _within("address", self.address, ADDRESS_SPACE_BYTES)
        _within("gpio", self.gpio, ADDRESS_SPACE_BYTES)
        _within("clock_hz", self.clock_hz, ADDRESS_SPACE_BYTES)
        _within("alternate", self.alternate, 16)
        _check_enables(self.enables)
        for item in fields(self):
            given = getattr(self, item.name)
            if item.name in NEEDS[self.driver] and not given:
                raise ValueError(
                    f"device.serial.{item.name}: {self.driver} needs it; got {given!r}"
                )
            if item.name not in ("driver", *NEEDS[self.driver], *TAKES[self.driver]) and given:
                raise ValueError(
                    f"device.serial.{item.name}: {self.driver} has no use for it; got {given!r}"
                )
        if self.driver in PINS:
            self._check_pins(PINS[self.driver])
        if self.driver == "stm32_usart" and self.registers not in (1, 2):
            raise ValueError(f"device.serial.registers: must be 1 or 2; got {self.registers}")

    def _check_pins(self, count: int) -> None:
        if len(self.pins) != 2 or not all(0 <= pin < count for pin in self.pins):
            raise ValueError(
                f"device.serial.pins: must be two, from 0 to {count - 1}; got {list(self.pins)}"
            )

    @property
    def source(self) -> str:
        """The driver's file in ``runtime/serial/``."""
        return f"{self.driver}.cpp"

    @property
    def definitions(self) -> tuple[str, ...]:
        """The macros that it wants, as ``NAME=value``: numbers alone."""
        if self.driver == "user":
            return ()
        if self.driver == "cmsdk_uart":
            return (f"TINYML_UART_BASE=0x{self.address:08X}U",)
        if self.driver == "nrf_uart":
            return (
                f"TINYML_UART_BASE=0x{self.address:08X}U",
                f"TINYML_UART_PINS={self.pins[0]},{self.pins[1]}",
            )
        enables = ",".join(f"0x{address:08X}U,{bit}" for address, bit in self.enables)
        return (
            f"TINYML_USART=0x{self.address:08X}U",
            f"TINYML_USART_REGISTERS={self.registers}",
            f"TINYML_USART_CLOCK_HZ={self.clock_hz}",
            f"TINYML_USART_GPIO=0x{self.gpio:08X}U",
            f"TINYML_USART_PINS={self.pins[0]},{self.pins[1]}",
            f"TINYML_USART_ALTERNATE={self.alternate}",
            f"TINYML_USART_ENABLES={enables}",
        )


@dataclass(frozen=True)
class _Storage:
    """A class in ``runtime/storage/``: its file, its name, and what else it is told.

    ``type`` has places for ``origin``, ``erase``, ``slot`` and the two numbers of a ``StorageDriver``;
    ``banks`` says whether it takes a bank. ``sources`` are compiled with it. ``stack_bytes`` are beyond those that
    the other drivers take.
    """

    header: str
    type: str
    sectors: int = 0
    banks: bool = False
    sources: tuple[str, ...] = ()
    stack_bytes: int = 0


_NMI = ("stm32l4_nmi.cpp",)
_ROM_STACK_BYTES = 512
"""A page, the addresses of the ROM's functions, and what these take: the last is not known, 192 are left for it."""
_IN_BANKS = "<{}, 0x{{origin:08X}}U, {{erase}}, {{slot}}, {{first_sector}}, {{bank}}>"
STORAGE: Mapping[str, _Storage] = MappingProxyType(
    {
        "none": _Storage("flash.hpp", "NoFlash"),
        "nrf_flash": _Storage("nrf_flash.hpp", "NrfFlash<0x{origin:08X}U, {erase}, {slot}>"),
        "stm32f4_flash": _Storage(
            "stm32f4_flash.hpp",
            "Stm32F4Flash<0x{origin:08X}U, {erase}, {slot}, {first_sector}>",
            sectors=32,
        ),
    }
    | {
        f"rp{chip}_flash": _Storage(
            "rp_flash.hpp",
            f"RpFlash<Rp{chip}, 0x{{origin:08X}}U, {{erase}}, {{slot}}>",
            sources=("rp_flash.cpp",),
            stack_bytes=_ROM_STACK_BYTES,
        )
        for chip in (2040, 2350)
    }
    | {
        f"{chip.lower()}_flash": _Storage(
            f"{family.lower()}_flash.hpp",
            f"{family}Flash" + _IN_BANKS.format(chip),
            sectors,
            banks=True,
            sources=sources,
        )
        for chip, family, sectors, sources in (
            ("Stm32G0", "Stm32L4", 1024, _NMI),
            ("Stm32H743", "Stm32H7", 8, ()),
            ("Stm32H7A3", "Stm32H7", 128, ()),
            ("Stm32L4", "Stm32L4", 256, _NMI),
        )
    }
)


@dataclass(frozen=True)
class StorageDriver:
    """Table ``storage`` of a board: how the flash at ``storage_origin`` is written.

    ``first_sector`` is the number, as the controller has it, of the sector or page at
    ``storage_origin``, and ``bank`` the bank in which it lies.

    - ``stm32f4_flash`` drives that of the STM32F4 and F7, which needs no bank
    - ``stm32l4_flash`` that of L4, L4+, G4 and WB; ``stm32g0_flash`` that of the G0, in whose second
      bank pages count from 256
    - ``stm32h743_flash`` that of H742 to H753, ``stm32h7a3_flash`` that of H7A3 to H7B3
    - ``nrf_flash`` that of the nRF52, ``rp2040_flash`` and ``rp2350_flash`` that beside these chips, by its address alone

    With ``none`` the firmware keeps what it learned until it is switched off.
    """

    driver: StorageName = "none"
    first_sector: int = 0
    bank: int = 0

    def __post_init__(self) -> None:
        _one_of("driver", self.driver, get_args(StorageName), table="storage")
        kind = STORAGE[self.driver]
        for key, most in (("first_sector", kind.sectors - 1), ("bank", 2 * int(kind.banks))):
            value, least = getattr(self, key), int(key == "bank" and kind.banks)
            if not least <= value <= max(most, 0):
                allowed = f"from {least} to {most}" if most > 0 else f"0 for {self.driver}"
                raise ValueError(f"device.storage.{key}: must be {allowed}; got {value}")

    @property
    def header(self) -> str:
        """The driver's file in ``runtime/storage/``."""
        return STORAGE[self.driver].header

    @property
    def sources(self) -> tuple[str, ...]:
        """Files in ``runtime/storage/`` that are compiled with it."""
        return STORAGE[self.driver].sources

    @property
    def stack_bytes(self) -> int:
        """What it takes of the stack beyond other drivers."""
        return STORAGE[self.driver].stack_bytes

    def type(self, origin: int, erase_bytes: int, slot_bytes: int) -> str:
        """The class over two slots of ``slot_bytes`` at ``origin``, as a C++ expression."""
        return STORAGE[self.driver].type.format(
            origin=origin,
            erase=erase_bytes,
            slot=slot_bytes,
            first_sector=self.first_sector,
            bank=self.bank,
        )


def _one_of(key: str, value: str, allowed: tuple[str, ...], table: str = "serial") -> None:
    if value not in allowed:
        raise ValueError(
            f"device.{table}.{key}: must be one of {', '.join(allowed)}; got {value!r}"
        )


def _within(key: str, value: int, limit: int, table: str = "serial") -> None:
    if not 0 <= value < limit:
        raise ValueError(f"device.{table}.{key}: must be from 0 to {limit - 1:#x}; got {value}")


def _check_enables(enables: tuple[tuple[int, ...], ...]) -> None:
    if len(enables) > ENABLES or not all(
        len(pair) == 2 and 0 <= pair[0] < ADDRESS_SPACE_BYTES and 0 <= pair[1] < 32
        for pair in enables
    ):
        raise ValueError(
            f"device.serial.enables: must be at most {ENABLES} pairs of an address and a bit from "
            f"0 to 31; got {[list(pair) for pair in enables]}"
        )


NO_PORT, NO_STORAGE = SerialPort(), StorageDriver()
