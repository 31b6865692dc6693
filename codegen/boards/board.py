"""A board: what the compiler and the linker must know of it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_origin, get_type_hints

from codegen.boards.clocks import RESET_CLOCK, Clock
from codegen.boards.drivers import NO_PORT, NO_STORAGE, SerialPort, StorageDriver
from codegen.boards.machines import machine_for
from codegen.boards.regions import ADDRESS_SPACE_BYTES, Region, check_apart
from codegen.texts import check_line

FOLDER = Path(__file__).parent
DATA = ()  # a stage is given the ``Board`` itself

# What gcc must be told of each core, beside -mcpu. The M33 has its DSP extension, the M55 has MVE.
# Its vectors flush denormal floats to zero, which hosts do not: gcc must not vectorise the learner.
CORE_FLAGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cortex-m0plus": ("-mfloat-abi=soft",),
        "cortex-m3": ("-mfloat-abi=soft",),
        "cortex-m4": ("-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
        "cortex-m7": ("-mfpu=fpv5-d16", "-mfloat-abi=hard"),
        "cortex-m33": ("-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"),
        "cortex-m55": ("-mfpu=auto", "-mfloat-abi=hard", "-fno-tree-vectorize"),
    }
)
CORES = tuple(CORE_FLAGS)
BOOT_BLOCKS = ("", "rp2040", "rp2350")
RP2040_SECOND_STAGE = Region(0x10000000, 256)  # where its boot ROM looks for it
VECTORS_STEP = 256  # a Cortex-M0+ reads its vector table from a multiple of this, others of 128
LONGEST_NAME = 64
MOST_WORK = 10
LONGEST_SOURCE = 2000


@dataclass(frozen=True)
class Board:
    """A microcontroller board and the emulated machine that stands in for it.

    Addresses are the board's, sizes are in bytes:

    - ``flash_*`` and ``ram_*`` are the contiguous regions that the generated program may use.
      ``stack_bytes`` is reserved at the start of RAM.
    - ``boot_*`` holds the vector table alone where storage separates it from the program; absent
      (0 bytes), the table is the start of flash.
    - ``storage_*`` is flash outside of these for what must survive a power cut: two slots of equal
      size. It is erased ``erase_bytes`` at a time. All are 0 where there is none.

    ``clock_hz`` is the highest rate, ``reset_clock_hz`` the one that the program starts with (0:
    the same), and ``clock`` how the program sets up another. ``boot_block`` names what a boot ROM wants to find beside the vector table (``rp2350``)
    or in 256 bytes outside of all regions (``rp2040``), and
    ``emulator`` a machine of ``codegen.boards.machines``; both are empty where there is none. ``source``
    says where the figures are from. ``programmer`` is the command that brings ``build-arm/firmware.hex``
    (or ``.elf``) onto the board, ``port`` the serial port that a computer then finds. ``serial`` and ``storage`` are the drivers of the port and of what
    is kept. ``ram_first`` is how many times the multiply-adds that it needs a network may take there so that its
    arena is small: 1 computes nothing twice, and 0 runs operators one after the other where the program fits so.
    """

    name: str
    core: str
    clock_hz: int
    flash_origin: int
    flash_bytes: int
    ram_origin: int
    ram_bytes: int
    stack_bytes: int = 8192
    emulator: str = ""
    source: str = ""
    reset_clock_hz: int = 0
    boot_origin: int = 0
    boot_bytes: int = 0
    boot_block: str = ""
    storage_origin: int = 0
    storage_bytes: int = 0
    erase_bytes: int = 0
    serial: SerialPort = NO_PORT
    storage: StorageDriver = NO_STORAGE
    programmer: str = ""
    port: str = ""
    clock: Clock = RESET_CLOCK
    ram_first: float = 0.0

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("device.name: must not be empty")
        check_line("device.name", self.name, LONGEST_NAME)
        check_line("device.source", self.source, LONGEST_SOURCE)
        check_line("device.programmer", self.programmer, LONGEST_SOURCE)
        check_line("device.port", self.port, LONGEST_NAME)
        if self.core not in CORES:
            raise ValueError(f"device.core: must be one of {', '.join(CORES)}; got {self.core!r}")
        if self.boot_block not in BOOT_BLOCKS:
            allowed = ", ".join(map(repr, BOOT_BLOCKS[:-1])) + f" or {BOOT_BLOCKS[-1]!r}"
            raise ValueError(f"device.boot_block: must be {allowed}; got {self.boot_block!r}")
        if self.emulator:
            machine_for(self.emulator, self.core)
        self._check_numbers()
        self._check_storage()
        check_apart(
            {
                "boot": Region(self.boot_origin, self.boot_bytes),
                "flash": Region(self.flash_origin, self.flash_bytes),
                "ram": Region(self.ram_origin, self.ram_bytes),
                "storage": Region(self.storage_origin, self.storage_bytes),
                "second_stage": self.second_stage,
            }
        )

    def _check_numbers(self) -> None:
        for key in (field.name for field in fields(self) if field.type == "int"):
            least = int(key in {"clock_hz", "flash_bytes", "ram_bytes", "stack_bytes"})
            if not least <= getattr(self, key) < ADDRESS_SPACE_BYTES:
                raise ValueError(
                    f"device.{key}: must be from {least} to {ADDRESS_SPACE_BYTES - 1}; "
                    f"got {getattr(self, key)}"
                )
        if self.reset_clock_hz > self.clock_hz:
            raise ValueError(
                f"device.reset_clock_hz: must be at most device.clock_hz ({self.clock_hz}); "
                f"got {self.reset_clock_hz}"
            )
        if self.clock.hz > self.clock_hz:
            raise ValueError(
                f"device.clock.hz: must be at most device.clock_hz ({self.clock_hz}); "
                f"got {self.clock.hz}"
            )
        if self.ram_first != 0 and not 1 <= self.ram_first <= MOST_WORK:
            raise ValueError(
                f"device.ram_first: must be from 1 to {MOST_WORK}, or 0; got {self.ram_first}"
            )
        if self.stack_bytes >= self.ram_bytes:
            raise ValueError(
                f"device.stack_bytes: must be less than device.ram_bytes ({self.ram_bytes}); "
                f"got {self.stack_bytes}"
            )
        vectors = "boot_origin" if self.boot_bytes else "flash_origin"
        for key, step in ((vectors, VECTORS_STEP), ("ram_origin", 8), ("stack_bytes", 8)):
            if getattr(self, key) % step:
                raise ValueError(
                    f"device.{key}: must be a multiple of {step}; got {getattr(self, key):#x}"
                )
        if self.boot_bytes and self.boot_bytes < VECTORS_STEP:
            raise ValueError(
                f"device.boot_bytes: must hold a vector table, at least {VECTORS_STEP}; "
                f"got {self.boot_bytes}"
            )

    def _check_storage(self) -> None:
        sizes = self.storage_bytes, self.erase_bytes
        if sizes == (0, 0):
            return
        if min(sizes) <= 0 or self.storage_bytes % (2 * self.erase_bytes):
            raise ValueError(
                "device.storage_bytes: must be two slots, each a multiple of device.erase_bytes "
                f"({self.erase_bytes}), or both 0; got {self.storage_bytes}"
            )
        if self.storage_origin % self.erase_bytes:
            raise ValueError(
                "device.storage_origin: must be a multiple of device.erase_bytes "
                f"({self.erase_bytes:#x}); got {self.storage_origin:#x}"
            )

    @property
    def second_stage(self) -> Region:
        """What a boot ROM copies from flash and runs first; of 0 bytes where there is none."""
        return RP2040_SECOND_STAGE if self.boot_block == "rp2040" else Region(self.flash_origin, 0)

    @property
    def running_hz(self) -> int:
        """The core's clock while the program runs."""
        return self.clock.hz or self.reset_clock_hz or self.clock_hz

    @property
    def flash_header(self) -> str:
        """The file in ``runtime/storage/`` with the class that writes the storage."""
        return self._flash_driver.header

    @property
    def flash_type(self) -> str:
        """That class, as a C++ expression."""
        slot_bytes = self.storage_bytes // 2
        return self._flash_driver.type(self.storage_origin, self.erase_bytes, slot_bytes)

    @property
    def flash_sources(self) -> tuple[str, ...]:
        """Files in ``runtime/storage/`` that are compiled into the board's firmware with it."""
        return self._flash_driver.sources

    @property
    def _flash_driver(self) -> StorageDriver:
        return self.storage if self.storage_bytes else NO_STORAGE

    @property
    def core_flags(self) -> tuple[str, ...]:
        """What gcc must be told of the core."""
        return ("-mthumb", f"-mcpu={self.core}", *CORE_FLAGS[self.core])


def names() -> tuple[str, ...]:
    """The boards of this package."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load(name_or_path: str | Path, ram_first: float | None = None) -> Board:
    """A board by its name, or from a TOML file of ``Board``'s fields; with another ``ram_first`` if one is given.

    Raises:
        ValueError: there is no such board or file, or the file does not describe a board.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if str(name_or_path) not in names():
            raise ValueError(
                f"device: must be one of {', '.join(names())}, or a .toml file; got {name_or_path}"
            )
        path = FOLDER / f"{name_or_path}.toml"
    found = read(path)
    return found if ram_first is None else replace(found, ram_first=ram_first)


def read(path: Path) -> Board:
    """The board that a TOML file describes.

    Raises:
        ValueError: there is no such file, or it does not describe a board.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"device: there is no file {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a TOML file: {error}") from error
    try:
        board: Board = _table(values, Board, "")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return board


def _table(values: object, kind: type[Any], key: str) -> Any:
    """The dataclass ``kind`` from a table of TOML; ``key`` is where it stands in the file."""
    if not isinstance(values, Mapping):
        raise ValueError(f"{key}: must be a table; got {values!r}")  # noqa: TRY004 - of a file
    prefix, hints = f"{key}." if key else "", get_type_hints(kind)
    for name in values:
        if name not in hints:
            raise ValueError(
                f"{prefix}{name}: there is no such key; {kind.__name__} has {', '.join(hints)}"
            )
    needed = [field.name for field in fields(kind) if field.default is MISSING]
    missing = [name for name in needed if name not in values]
    if missing:
        raise ValueError(
            f"must have {', '.join(needed)} (docs/adding-a-board.md); lacks {', '.join(missing)}"
        )
    return kind(**{name: _typed(v, hints[name], prefix + name) for name, v in values.items()})


def _typed(value: object, hint: Any, key: str) -> Any:
    """``value``, of TOML, as the type ``hint``."""
    if is_dataclass(hint):
        return _table(value, hint, key)  # type: ignore[arg-type]  # a class, not an instance
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{key}: must be a list; got {value!r}")
        inner = get_args(hint)[0]
        return tuple(_typed(item, inner, f"{key}[{i}]") for i, item in enumerate(value))
    kind = hint if isinstance(hint, type) else str  # a Literal is checked by its class
    if type(value) is not kind:
        raise ValueError(f"{key}: must be of type {kind.__name__}; got {value!r}")
    return value
