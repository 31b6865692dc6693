"""A board: what the compiler and the linker must know of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "boards"
CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")


@dataclass(frozen=True)
class Board:
    """A microcontroller board and the emulated machine that stands in for it.

    ``flash_bytes`` and ``ram_bytes`` are the contiguous regions that the generated program may
    use; ``stack_bytes`` is reserved in RAM. ``emulator`` is a QEMU machine, empty where none fits.
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

    def __post_init__(self) -> None:
        if self.core not in CORES:
            raise ValueError(f"device.core: must be one of {', '.join(CORES)}; got {self.core!r}")
        for key in ("clock_hz", "flash_bytes", "ram_bytes", "stack_bytes"):
            if getattr(self, key) <= 0:
                raise ValueError(f"device.{key}: must be positive; got {getattr(self, key)}")
        if self.stack_bytes >= self.ram_bytes:
            raise ValueError(
                f"device.stack_bytes: must be less than device.ram_bytes ({self.ram_bytes}); "
                f"got {self.stack_bytes}"
            )


def names() -> tuple[str, ...]:
    """The boards of this package."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load(name_or_path: str | Path) -> Board:
    """A board by its name, or from a TOML file of ``Board``'s fields.

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
    try:
        return Board(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
