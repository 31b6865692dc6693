"""QEMU machines that stand in for boards: where they have memory, and for which cores.

Addresses are those of QEMU 7.2 (``info mtree``); its Arm machines follow Arm's application notes for
the MPS2 and MPS3 boards (AN386, AN500, AN505, AN547). A board's lengths are cut out of a machine's
regions, so that a program that does not fit the board does not link for the machine either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from codegen.boards.drivers import NO_PORT, SerialPort
from codegen.boards.regions import Region

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Machine:
    """A QEMU machine. Vectors are at the start of ``flash``.

    Test programs and their data lie in ``test_flash`` and ``test_ram``, so that they take nothing
    of the memory of the board. ``storage`` keeps what is saved; it is empty where the machine has
    none that can be written. ``serial`` is UART0, as ``info mtree`` shows it; on cores with TrustZone
    its secure alias. ``options`` are QEMU's that it needs beside its name, and ``clock_hz`` what SysTick counts.
    """

    name: str
    cores: tuple[str, ...]
    flash: Region
    ram: Region
    storage: Region
    test_flash: Region
    test_ram: Region
    clock_hz: int
    serial: SerialPort = NO_PORT
    options: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """How QEMU is told of it."""
        return ("-M", self.name, *self.options)


def _of_4_mib(
    name: str, *cores: str, clock_hz: int, serial: SerialPort, options: tuple[str, ...] = ()
) -> Machine:
    """4 MB of code memory at 0, 4 MB of RAM at 0x20000000."""
    return Machine(
        name=name,
        cores=cores,
        flash=Region(0, 5 * MIB // 2),
        ram=Region(0x20000000, 3 * MIB),
        storage=Region(0x00280000, 512 * KIB),
        test_flash=Region(0x00300000, MIB),
        test_ram=Region(0x20300000, MIB),
        clock_hz=clock_hz,
        serial=serial,
        options=options,
    )


_MPS2_UART = SerialPort("cmsdk_uart", 0x40004000)
_MACHINES = (
    _of_4_mib("mps2-an386", "cortex-m3", "cortex-m4", clock_hz=25_000_000, serial=_MPS2_UART),
    _of_4_mib("mps2-an500", "cortex-m7", clock_hz=25_000_000, serial=_MPS2_UART),
    # Secure state after reset, so memory is at its secure aliases: 4 MB of code memory and twice
    # 2 MB of RAM.
    Machine(
        name="mps2-an505",
        cores=("cortex-m33",),
        flash=Region(0x10000000, 7 * MIB // 2),
        ram=Region(0x38000000, 2 * MIB),
        storage=Region(0x10380000, 512 * KIB),
        test_flash=Region(0x38200000, MIB),
        test_ram=Region(0x38300000, MIB),
        clock_hz=20_000_000,
        serial=SerialPort("cmsdk_uart", 0x50200000),
    ),
    # ITCM and DTCM of 512 kB; 2 MB of SRAM in the code region, 4 MB in the data region.
    Machine(
        name="mps3-an547",
        cores=("cortex-m55",),
        flash=Region(0x00000000, 512 * KIB),
        ram=Region(0x20000000, 512 * KIB),
        storage=Region(0x01100000, 512 * KIB),
        test_flash=Region(0x01000000, MIB),
        test_ram=Region(0x21000000, MIB),
        clock_hz=32_000_000,
        serial=SerialPort("cmsdk_uart", 0x59303000),
    ),
    # An nRF51822 (Cortex-M0), whose memories QEMU makes as large as it is told. A true ROM too; the
    # core has no unaligned access, no VTOR, no DWT, and faults where a Cortex-M0+ does.
    _of_4_mib(
        "microbit",
        "cortex-m0plus",
        clock_hz=16_000_000,
        serial=SerialPort("nrf_uart", 0x40002000, pins=(24, 25)),
        options=tuple(
            part
            for memory in ("flash", "sram")
            for part in ("-global", f"nrf51-soc.{memory}-size={4 * MIB}")
        ),
    ),
    # An STM32F405: its flash, unlike that of the other machines, cannot be written.
    Machine(
        name="netduinoplus2",
        cores=("cortex-m4",),
        flash=Region(0x08000000, 768 * KIB),
        ram=Region(0x20000000, 128 * KIB),
        storage=Region(0, 0),
        test_flash=Region(0x080C0000, 256 * KIB),
        test_ram=Region(0x20020000, 64 * KIB),
        clock_hz=168_000_000,
    ),
)
MACHINES: Mapping[str, Machine] = MappingProxyType({m.name: m for m in _MACHINES})


def machine_for(name: str, core: str) -> Machine:
    """The machine ``name``, which must have the core.

    Raises:
        ValueError: there is none, or it has another core.
    """
    machine = MACHINES.get(name)
    if machine is None or core not in machine.cores:
        allowed = "; ".join(f"{m.name} for {', '.join(m.cores)}" for m in MACHINES.values())
        raise ValueError(
            f"device.emulator: no such machine for a {core}: {name!r}; have {allowed}, or '' for none"
        )
    return machine
