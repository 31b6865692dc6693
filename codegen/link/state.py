"""A file that holds what a board has learned: the bytes of a slot of its flash (docs/protocol.md).

A header of 32 bytes, ``TMLH``, format, number, bytes, the model's digest, CRC-32 of what follows and of
the header itself; then the learner's state in float32. All numbers are little-endian.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen import durable
from codegen.limits import MOST_WEIGHT

HEADER = struct.Struct("<4sIII8sII")
MAGIC, FORMAT = b"TMLH", 1
MOST_BYTES = 1 << 28


class StateFileError(ValueError):
    """A file that is none of this format, or not for this board; the message names it."""


@dataclass(frozen=True, eq=False)
class SavedState:
    """``digest`` is of the model that it belongs to (``Hello.digest``); ``numbers`` are float32."""

    digest: str
    numbers: npt.NDArray[np.float32]


def write(path: Path, saved: SavedState, number: int) -> None:
    """Write the file, whole or not at all; ``number`` is that of the head in flash, 0 for none.

    Raises:
        StateFileError: nothing can be written there.
    """
    content = saved.numbers.astype("<f4").tobytes()
    digest = bytes.fromhex(saved.digest)
    fields = MAGIC, FORMAT, number, len(content), digest, zlib.crc32(content), 0
    start = HEADER.pack(*fields)[:-4]
    try:
        durable.write(path, start + zlib.crc32(start).to_bytes(4, "little") + content)
    except (OSError, ValueError) as error:  # a zero byte in its name
        reason = getattr(error, "strerror", None) or str(error)
        raise StateFileError(f"{path}: cannot be written: {reason}") from error


def read(path: Path) -> SavedState:
    """Read what ``write`` wrote.

    Raises:
        StateFileError: it is not whole, another kind of file, or holds numbers that no board takes.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise StateFileError(f"{path}: is too large to be a learner's state")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StateFileError(f"{path}: {reason}") from error
    if len(content) < HEADER.size or content[:4] != MAGIC:
        raise StateFileError(f"{path}: is no file of export's (it does not begin with TMLH)")
    _, form, _, size, digest, crc, header_crc = HEADER.unpack_from(content)
    if zlib.crc32(content[: HEADER.size - 4]) != header_crc or form != FORMAT:
        raise StateFileError(f"{path}: its header is damaged, or of a format that is not {FORMAT}")
    body = content[HEADER.size :]
    if len(body) != size or size % 4 or zlib.crc32(body) != crc:
        raise StateFileError(f"{path}: is damaged: {len(body)} of {size} bytes, or others")
    numbers = np.frombuffer(body, "<f4").astype(np.float32)
    if not (np.abs(numbers) <= MOST_WEIGHT).all():  # nor is a NaN
        raise StateFileError(
            f"{path}: holds numbers that are not finite, or beyond {MOST_WEIGHT:g}"
        )
    return SavedState(digest.hex(), numbers)


def check(path: Path, saved: SavedState, digest: str, state_bytes: int) -> None:
    """Refuse what another model learned.

    Raises:
        StateFileError: says what the file and the board have.
    """
    if saved.digest != digest:
        raise StateFileError(
            f"{path}: was learned by another model, another first head or another kind of learner "
            f"(digest {saved.digest}; the board's is {digest}): nothing was changed"
        )
    if saved.numbers.nbytes != state_bytes:
        raise StateFileError(
            f"{path}: holds {saved.numbers.nbytes} bytes; the board's learner has {state_bytes}"
        )
