"""Frames: COBS around a header, a payload and their CRC-32."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from codegen.link import faults

VERSION = 4
HEADER = struct.Struct("<BBII")  # version, message, session, sequence number
FIRST_HEADER_BYTES = 3  # of version 1, and of what answers another version
CRC_BYTES = 4
LONGEST_BLOCK = 254


class FrameError(ValueError):
    """Bytes are no frame: damaged, truncated, or noise."""


@dataclass(frozen=True)
class Frame:
    """What one frame carries. ``message`` has bit 7 set in a reply.

    Of another version than this one, ``payload`` is all that follows the message's number.
    """

    version: int
    message: int
    session: int
    sequence: int
    payload: bytes


def encode(
    message: int, sequence: int, payload: bytes, session: int = 0, version: int = VERSION
) -> bytes:
    """The bytes to send, from delimiter to delimiter: a zero in front ends whatever was noise."""
    body = HEADER.pack(version, message, session, sequence) + payload
    return b"\0" + stuff(body + zlib.crc32(body).to_bytes(CRC_BYTES, "little")) + b"\0"


def decode(stuffed: bytes) -> Frame:
    """The frame in the bytes between two delimiters.

    Raises:
        FrameError: the bytes are no frame.
    """
    body = unstuff(stuffed)
    if len(body) < FIRST_HEADER_BYTES + CRC_BYTES:
        raise FrameError(f"{len(body)} bytes are too few for a frame")
    content, crc = body[:-CRC_BYTES], body[-CRC_BYTES:]
    if zlib.crc32(content) != int.from_bytes(crc, "little"):
        raise FrameError("the CRC is wrong")
    version, message = content[:2]
    if version != VERSION:
        return Frame(version, message, 0, 0, content[2:])
    if len(content) < HEADER.size:
        raise FrameError(f"{len(content)} bytes are too few for a frame")
    _, _, session, sequence = HEADER.unpack_from(content)
    return Frame(version, message, session, sequence, content[HEADER.size :])


def stuff(data: bytes) -> bytes:
    r"""Encode by COBS (Cheshire and Baker 1999): without zero bytes, one byte longer in 254.

    >>> stuff(b"a\0bc").hex(" ")
    '02 61 03 62 63'
    """
    out = bytearray()
    parts = data.split(b"\0")
    for number, part in enumerate(parts):
        rest = part
        while len(rest) >= LONGEST_BLOCK:
            out += b"\xff" + rest[:LONGEST_BLOCK]
            rest = rest[LONGEST_BLOCK:]
        # After a longest block, the end of the data needs no empty block.
        if rest or len(part) == 0 or number + 1 < len(parts):
            out += bytes((len(rest) + 1,)) + rest
    return bytes(out)


def unstuff(stuffed: bytes) -> bytes:
    r"""Decode COBS.

    >>> unstuff(bytes.fromhex("02 61 03 62 63"))
    b'a\x00bc'
    """
    out = bytearray()
    at = 0
    while at < len(stuffed):
        length = stuffed[at]
        block = stuffed[at + 1 : at + length]
        if length == 0 or len(block) != length - 1 or 0 in block:
            raise FrameError("the stuffing is broken")
        out += block
        at += length
        if length <= LONGEST_BLOCK and at < len(stuffed):
            out.append(0)
    return bytes(out)


class Deframer:
    """Cuts received bytes at zero bytes; what is no frame is counted and dropped."""

    def __init__(self, longest_bytes: int = 1 << 20) -> None:
        self._longest_bytes = longest_bytes
        self._pending = bytearray()
        self.dropped = 0
        self.fault = ""  # what the board said last of one

    def feed(self, received: bytes) -> list[Frame]:
        """The frames that ``received`` completes, in order."""
        self._pending += received
        *complete, rest = self._pending.split(b"\0")
        if len(rest) > self._longest_bytes:  # endless noise without a zero
            rest = bytearray()
            self.dropped += 1
        self._pending = bytearray(rest)
        frames = []
        for piece in complete:
            if not piece:
                continue
            try:
                frames.append(decode(bytes(piece)))
            except FrameError:
                self.dropped += 1
                self.fault = faults.text_of(bytes(piece)) or self.fault
        return frames
