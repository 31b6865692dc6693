"""Exact counts of the instructions that a program executes on an emulated board.

A plugin for QEMU (``insn_count.c``) counts every instruction by its address, and by the part of the
program that was running. Counts are exact and repeatable; cycles, wait states and caches are not
modelled by QEMU, and no interrupt runs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codegen.boards.machines import MACHINES
from codegen.toolchain import run as toolchain

SOURCE = Path(__file__).with_name("insn_count.c")
OUTSIDE = -1
TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Counts:
    """Executed instructions: of each part of the program, and at each address."""

    parts: Mapping[int, int]
    addresses: Mapping[int, int]

    @property
    def total(self) -> int:
        """All instructions, from reset to exit."""
        return sum(self.parts.values())


def plugin(folder: Path) -> Path:
    """The plugin, compiled into ``folder`` unless it is there.

    Raises:
        ToolchainError: there is no C compiler, or it refused the plugin.
    """
    library = folder / f"insn_count-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        flags = ["-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
        command = [toolchain.find("gcc"), *flags, str(SOURCE), "-o", str(library.resolve())]
        toolchain.run(command, folder, TIMEOUT_S)
    return library


def count(
    program: Path, machine: str, folder: Path, tools: Path, marks: Mapping[int, int]
) -> Counts:
    """Run ``program`` to its end on the QEMU ``machine`` in ``folder``.

    ``marks`` gives, for addresses of instructions, the part of the program that runs from there on.
    ``tools`` is where the compiled plugin is kept.

    Raises:
        ToolchainError: a program is missing, or the emulated program did not exit with 0.
    """
    lines = [f"{address:x} {part}" for address, part in sorted(marks.items())]
    (folder / "marks").write_text("\n".join(lines))
    counter = f"{plugin(tools).resolve()},marks=marks,out=counts"
    command = [
        toolchain.find("qemu-system-arm"),
        *MACHINES[machine].arguments,
        "-nographic",
        "-monitor",
        "none",
    ]
    command += ["-serial", "none", "-semihosting-config", "enable=on,target=native"]
    command += ["-plugin", counter, "-kernel", str(program.resolve())]
    toolchain.run(command, folder, TIMEOUT_S)
    parts: Counter[int] = Counter()
    addresses: Counter[int] = Counter()
    for line in (folder / "counts").read_text().splitlines():
        kind, key, executed = line.split()
        if kind == "part":
            parts[int(key)] += int(executed)
        else:
            addresses[int(key, 16)] += int(executed)
    return Counts(parts, addresses)
