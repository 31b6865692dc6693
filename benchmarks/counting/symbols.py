"""What lies where in a linked program, as binutils tell it: functions, constants, source lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codegen.toolchain import run as toolchain

TIMEOUT_S = 60.0
CODE = "tTwW"


@dataclass(frozen=True)
class Symbol:
    """A named piece of the program; ``kind`` is the letter of ``nm``."""

    name: str
    kind: str
    address: int
    size_bytes: int


def symbols(program: Path) -> list[Symbol]:
    """All symbols that have a size, by address; their names without the project's own namespace."""
    printed = _run("arm-none-eabi-nm", "-S", "-C", "-n", str(program))
    printed = re.sub(r"\btinyml::\w+::", "tinyml::", printed)
    rows = re.findall(r"^([0-9a-f]{8}) ([0-9a-f]{8}) (\w) (.+)$", printed, re.MULTILINE)
    return [Symbol(name, kind, int(at, 16), int(size, 16)) for at, size, kind, name in rows]


def by_function(program: Path, counts: Mapping[int, int]) -> Counter[str]:
    """Executed instructions of each function, from counts at addresses."""
    functions = [s for s in symbols(program) if s.kind in CODE]
    starts = [s.address & ~1 for s in functions]
    totals: Counter[str] = Counter()
    for address, executed in counts.items():
        found = functions[bisect_right(starts, address) - 1]
        inside = 0 <= address - (found.address & ~1) < found.size_bytes
        totals[re.sub(r"\(.*", "", found.name) if inside else "?"] += executed
    return totals


def function(program: Path, name: str) -> Symbol:
    """The function whose demangled name starts with ``name`` and its parenthesis."""
    for symbol in symbols(program):
        if symbol.kind in CODE and symbol.name.startswith(f"{name}("):
            return symbol
    raise toolchain.ToolchainError(f"{program}: no function {name}")


def lines_within(program: Path, symbol: Symbol) -> dict[int, int]:
    """For each instruction of a function, the line of its own source that it comes from.

    Code of functions that were inlined belongs to the line that calls them. Instructions without a
    line are left out. Needs debugging information.
    """
    start = symbol.address & ~1
    printed = _run(
        "arm-none-eabi-objdump",
        "-d",
        f"--start-address={start}",
        f"--stop-address={start + symbol.size_bytes}",
        str(program),
    )
    addresses = re.findall(r"^ *([0-9a-f]+):\t", printed, re.MULTILINE)
    located = _run("arm-none-eabi-addr2line", "-a", "-i", "-e", str(program), *addresses)
    lines = {}
    for block in re.split(r"^0x", located, flags=re.MULTILINE)[1:]:  # paths may hold it too
        address, *frames = block.split()
        outermost = [frame for frame in frames if ":" in frame][-1]
        number = outermost.rsplit(":", 1)[1]
        if number.isdigit() and int(number):
            lines[int(address, 16)] = int(number)
    return lines


def listing(program: Path, counts: Mapping[int, int]) -> str:
    """The program's disassembly, each instruction after how often it was executed."""
    lines = []
    for line in _run("arm-none-eabi-objdump", "-d", "-C", str(program)).splitlines():
        at = re.match(r" *([0-9a-f]+):\t", line)
        executed = counts.get(int(at[1], 16), 0) if at else 0
        lines.append(f"{executed or '':>10} {line}")
    return "\n".join(lines) + "\n"


def _run(tool: str, *arguments: str) -> str:
    toolchain.find("arm-none-eabi-g++")  # binutils come with it
    return toolchain.run([tool, *arguments], Path(), TIMEOUT_S)
