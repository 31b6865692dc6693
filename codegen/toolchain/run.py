"""The programs that build and run a generated project: find them, run them, say what is missing."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = {
    "gcc": "gcc",
    "g++": "g++",
    "cmake": "cmake",
    "arm-none-eabi-g++": (
        "gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib"
    ),
    "qemu-system-arm": "qemu-system-arm",
}
TAIL_LINES = 40


class ToolchainError(RuntimeError):
    """A compiler or emulator is missing, or failed."""


def find(program: str) -> str:
    """The path of ``program``.

    Raises:
        ToolchainError: it is not installed; names the Debian packages that bring it.
    """
    path = shutil.which(program)
    if path is None:
        raise ToolchainError(
            f"{program} not found on the PATH: apt-get install {PACKAGES[program]}"
        )
    return path


def run(command: list[str], folder: Path, timeout_s: float) -> str:
    """Run ``command`` in ``folder``; what it printed.

    Raises:
        ToolchainError: it failed or took longer than ``timeout_s``; ends with what it printed last.
        OSError: it found a disk full; names no file, as the program's own words may name one.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # QEMU prints there what the emulated program prints
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolchainError(f"{' '.join(command)}: no end after {timeout_s:g} s") from error
    if done.returncode != 0:
        full = os.strerror(errno.ENOSPC)
        if said := next((line for line in done.stdout.splitlines() if full in line), None):
            raise OSError(errno.ENOSPC, said.strip())
        printed = "\n".join(done.stdout.splitlines()[-TAIL_LINES:])
        raise ToolchainError(f"{' '.join(command)}: exit code {done.returncode}\n{printed}")
    return done.stdout
