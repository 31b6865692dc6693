"""How deep a linked program goes into its stack: an upper bound, from its instructions.

What a function takes is the sum of all that its instructions subtract from the stack pointer, as if all
of them ran; how deep it goes is that and the deepest of what it calls. A call through a pointer goes
to the deepest function that is not called by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tools.code_size.programs import run

# Never called by name, and not through a pointer of the program's: the hardware does.
OF_THE_HARDWARE = re.compile(
    r"(Reset|Fault|NMI|SysTick|Interrupt)_Handler|tinyml_tell_fault|_start"
)
_FUNCTION = re.compile(r"^[0-9a-f]{8} <(.+)>:$")
_LINE = re.compile(r"^ *[0-9a-f]+:\t[0-9a-f ]+\t(\S+)\s*([^;@]*)")
_TARGET = re.compile(r"<([^+>]+)(\+0x[0-9a-f]+)?>")


@dataclass
class Function:
    """Bytes of its own, whom it calls, and whether it calls through a pointer."""

    own_bytes: int = 0
    calls: set[str] = field(default_factory=set)
    pointers: bool = False


def functions(program: Path) -> dict[str, Function]:
    """All functions of ``program`` by their mangled names."""
    found: dict[str, Function] = {}
    current = Function()
    for line in run(["arm-none-eabi-objdump", "-d", program]).splitlines():
        if head := _FUNCTION.match(line):
            current = found.setdefault(head[1], Function())
        elif parts := _LINE.match(line):
            _take(current, parts[1], parts[2].strip())
    return found


def _take(function: Function, name: str, operands: str) -> None:
    function.own_bytes += _pushed(name, operands)
    if name.startswith(("b", "cb")) and (target := _TARGET.search(operands)):
        if not target[2]:
            function.calls.add(target[1])
    elif name == "blx" or (name == "bx" and operands != "lr"):
        function.pointers = True


def _pushed(name: str, operands: str) -> int:
    """Bytes that an instruction takes of the stack."""
    registers = operands.partition("{")[2].rstrip("}")
    if name in ("push", "stmdb", "push.w", "stmdb.w") and (name[0] == "p" or "sp!" in operands):
        return 4 * _count(registers)
    if name == "vpush":
        return (8 if "d" in registers else 4) * _count(registers)
    if match := re.match(r"sp, (?:sp, )?#(\d+)", operands):
        return int(match[1]) if name.startswith("sub") else 0
    if match := re.search(r"\[sp, #-(\d+)\]!", operands):
        return int(match[1])
    assert not (name.startswith("sub") and operands.startswith("sp,")), f"{name} {operands}"
    return 0


def _count(registers: str) -> int:
    total = 0
    for part in registers.split(","):
        first, _, last = part.strip().partition("-")
        total += int(last[1:]) - int(first[1:]) + 1 if last else 1
    return total


def depth(
    program: Mapping[str, Function], root: str, leaves: Mapping[str, int] = MappingProxyType({})
) -> int:
    """Bytes from ``root`` on; ``leaves`` are taken to go so deep."""
    called = {name for function in program.values() for name in function.calls}
    pointed = [n for n in program if n not in called and not OF_THE_HARDWARE.search(n)]
    known = dict(leaves)

    def deepest(name: str, above: tuple[str, ...]) -> int:
        if name in above or name not in program:
            return 0  # a loop back to the start of a function is no call
        if name not in known:
            function = program[name]
            calls = function.calls | (
                {p for p in pointed if p != root} if function.pointers else set()
            )
            below = max((deepest(call, (*above, name)) for call in calls), default=0)
            known[name] = function.own_bytes + below
        return known[name]

    return deepest(root, ())
