"""How much flash and RAM a linked program takes: the loadable parts of a 32-bit ELF file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
SECTION = struct.Struct("<10I")
SEGMENT = struct.Struct("<8I")
MAGIC = b"\x7fELF\x01\x01"  # 32 bits, little-endian
PT_LOAD = 1
SHF_ALLOC = 2


class ElfError(ValueError):
    """A file is not the ELF program that it should be."""


@dataclass(frozen=True)
class Section:
    """A named piece of memory that the running program owns."""

    name: str
    address: int
    size_bytes: int


@dataclass(frozen=True)
class Segment:
    """Bytes that are loaded to ``load_address`` (in flash, for initialised data as well)."""

    load_address: int
    file_bytes: int


@dataclass(frozen=True)
class Program:
    """The allocated sections and the segments of a program."""

    sections: tuple[Section, ...]
    segments: tuple[Segment, ...]

    def flash_bytes(self, origin: int, length: int) -> int:
        """Bytes from ``origin`` to the end of what is loaded into the region."""
        ends = [
            segment.load_address + segment.file_bytes
            for segment in self.segments
            if segment.file_bytes and origin <= segment.load_address < origin + length
        ]
        return max(ends, default=origin) - origin

    def ram_bytes(self, origin: int, length: int) -> int:
        """Bytes from ``origin`` to the end of the last section in the region, stack included."""
        ends = [
            section.address + section.size_bytes
            for section in self.sections
            if origin <= section.address < origin + length
        ]
        return max(ends, default=origin) - origin


def read(path: Path) -> Program:
    """Read the section and program headers of ``path``.

    Raises:
        ElfError: it is not a 32-bit little-endian ELF file, or it is truncated.
    """
    data = path.read_bytes()
    if data[: len(MAGIC)] != MAGIC:
        raise ElfError(f"{path}: not a 32-bit little-endian ELF file")
    try:
        return _parse(data)
    except (struct.error, IndexError, ValueError) as error:
        raise ElfError(f"{path}: truncated or damaged ({error})") from error


def _parse(data: bytes) -> Program:
    header = HEADER.unpack_from(data)
    segments_at, sections_at = header[5], header[6]
    segment_count, section_count, names_index = header[10], header[12], header[13]
    headers = [
        SECTION.unpack_from(data, sections_at + i * SECTION.size) for i in range(section_count)
    ]
    names_at = headers[names_index][4]
    sections = tuple(
        Section(_text(data, names_at + name), address, size)
        for name, _, flags, address, _, size, *_ in headers
        if flags & SHF_ALLOC and size
    )
    segments = tuple(
        Segment(load_address, file_bytes)
        for kind, _, _, load_address, file_bytes, *_ in (
            SEGMENT.unpack_from(data, segments_at + i * SEGMENT.size) for i in range(segment_count)
        )
        if kind == PT_LOAD
    )
    return Program(sections, segments)


def _text(data: bytes, start: int) -> str:
    return data[start : data.index(b"\0", start)].decode("ascii")
