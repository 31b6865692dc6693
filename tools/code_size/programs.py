"""The compiler's programs, and what they say of sizes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from codegen.emit.emitter import ROOT
from codegen.toolchain import run as toolchain

TIMEOUT_S = 600.0


def run(command: Sequence[str | Path]) -> str:
    """Run a program of the compiler's; what it printed."""
    program = toolchain.find(str(command[0]))
    return toolchain.run([program, *map(str, command[1:])], ROOT, TIMEOUT_S)


def symbols(target: Path) -> dict[str, int]:
    """Bytes of each symbol of an object."""
    rows = (line.split() for line in run(["arm-none-eabi-nm", "-S", target]).splitlines())
    return {row[3]: int(row[1], 16) for row in rows if len(row) == 4}


def sections(mapped: Path) -> dict[str, int]:
    """Bytes in flash of each input section of a linked program, from the linker's map.

    Sections of ours are named after their function or array, those of libraries after the object.
    """
    text = mapped.read_text().partition("Linker script and memory map")[2]
    pattern = r"^ \.(text|rodata|data)(\S*)\s+0x[0-9a-f]+\s+(0x[0-9a-f]+) (\S.*)$"
    found: dict[str, int] = {}
    for kind, name, size, source in re.findall(pattern, text, re.MULTILINE):
        member = re.search(r"\((\S+\.o)\)$", source)
        library = member and ".cpp" not in member[1]
        key = f"({member[1]})" if library and member else name.lstrip(".") or f"({kind})"
        if int(size, 16):
            found[key] = found.get(key, 0) + int(size, 16)
    return found
