"""A reader of FlatBuffers that trusts nothing: every access is checked against the file's length.

Generated accessors raise whatever ``struct`` raises, and follow a corrupt offset wherever it points.
The compiler needs a dozen tables of one schema, so it reads them itself: a table is a position,
its fields are found through its vtable by slot (the field's place in the schema, from zero).
Format: https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codegen.ir import ModelError


@dataclass(frozen=True)
class Table:
    """One table inside ``buffer``, whose first byte is at ``position``."""

    buffer: bytes
    position: int

    @staticmethod
    def root(buffer: bytes, identifier: bytes) -> Table:
        """The root table of a file that carries ``identifier`` (four bytes at offset 4)."""
        if len(buffer) < 8 or buffer[4:8] != identifier:
            raise ModelError(
                f"not a flatbuffer with identifier {identifier.decode()!r} ({len(buffer)} bytes)"
            )
        return Table(buffer, _unpack(buffer, "<I", 0))

    def integer(self, slot: int, code: str, default: int = 0) -> int:
        """A scalar field; ``code`` is its ``struct`` format, as ``"i"`` or ``"B"``."""
        position = self._field(slot)
        return default if position is None else _unpack(self.buffer, "<" + code, position)

    def real(self, slot: int, default: float = 0.0) -> float:
        """A single-precision field."""
        position = self._field(slot)
        return default if position is None else float(_unpack(self.buffer, "<f", position))

    def table(self, slot: int) -> Table | None:
        """A field that holds a table."""
        position = self._field(slot)
        return None if position is None else Table(self.buffer, self._follow(position))

    def tables(self, slot: int, most: int) -> list[Table]:
        """A field that holds a vector of up to ``most`` tables; empty when absent."""
        start, count = self._vector(slot, 4, most)
        return [Table(self.buffer, self._follow(start + 4 * i)) for i in range(count)]

    def array(self, slot: int, dtype: str, most: int | None = None) -> npt.NDArray[np.generic]:
        """A field that holds a vector of up to ``most`` scalars; empty when absent.

        The array is read-only and takes no memory: its bytes are the file's.
        """
        start, count = self._vector(slot, np.dtype(dtype).itemsize, most)
        return np.frombuffer(self.buffer, dtype, count, start)

    def start_of(self, slot: int) -> int:
        """Where in the buffer the first item of a vector lies."""
        return self._vector(slot, 1, None)[0]

    def text(self, slot: int, most: int) -> str:
        """The first ``most`` bytes of a field that holds a string; empty when absent."""
        return self.array(slot, "u1")[:most].tobytes().decode("utf-8", errors="replace")

    def _field(self, slot: int) -> int | None:
        vtable = self.position - _unpack(self.buffer, "<i", self.position)
        entry = 4 + 2 * slot
        if entry + 2 > _unpack(self.buffer, "<H", vtable):
            return None
        offset = _unpack(self.buffer, "<H", vtable + entry)
        return self.position + offset if offset else None

    def _follow(self, position: int) -> int:
        return position + _unpack(self.buffer, "<I", position)

    def _vector(self, slot: int, item_bytes: int, most: int | None) -> tuple[int, int]:
        position = self._field(slot)
        if position is None:
            return 0, 0
        position = self._follow(position)
        count = _unpack(self.buffer, "<I", position)
        if position + 4 + count * item_bytes > len(self.buffer):
            raise ModelError(
                f"truncated or corrupt: a vector of {count} items of {item_bytes} bytes at byte "
                f"{position} leaves the file ({len(self.buffer)} bytes)"
            )
        # Several tables may share one vector: unless it is bounded, a small file could ask for much.
        if most is not None and count > most:
            raise ModelError(
                f"a vector at byte {position} has {count} items; at most {most} are taken"
            )
        return position + 4, count


def _unpack(buffer: bytes, code: str, position: int) -> int:
    if position < 0 or position + struct.calcsize(code) > len(buffer):
        raise ModelError(
            f"truncated or corrupt: byte {position} is outside the file ({len(buffer)} bytes)"
        )
    value: int = struct.unpack_from(code, buffer, position)[0]
    return value
