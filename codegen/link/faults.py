"""What a board says when it faults (``platform/fault.cpp``), in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

START = b"FAULT "
LONGEST_BYTES = 300
# Bits of CFSR in the ARMv7-M and ARMv8-M Architecture Reference Manuals.
CAUSES: Mapping[int, str] = MappingProxyType(
    {
        0: "instructions were fetched where none may be",
        1: "data that may not be reached were",
        4: "the stack overflowed, or its pointer is wrong",
        8: "instructions were fetched where there is no memory",
        9: "there is no memory at bfar",
        10: "there is no memory where something was written",
        12: "the stack overflowed, or its pointer is wrong",
        16: "an undefined instruction",
        17: "a jump to an address that is no Thumb code",
        19: "the floating-point unit is off",
        20: "the stack overflowed",
        24: "an access that is not aligned",
        25: "a division by zero",
    }
)


class FaultError(RuntimeError):
    """The board faulted, said so, and has been started anew: what was not saved is lost."""

    def __init__(self, text: str) -> None:
        super().__init__(f"the board faulted and was started anew: {explain(text)}")


def text_of(piece: bytes) -> str | None:
    """The line about a fault, where the bytes between two zeros are one."""
    if not piece.startswith(START) or len(piece) > LONGEST_BYTES or not piece.isascii():
        return None
    return piece.decode("ascii").strip()


def explain(text: str) -> str:
    """The kind, its causes as far as the core tells them, and the registers.

    >>> explain("FAULT UsageFault ipsr=00000003 pc=00000100 cfsr=00010000")
    'UsageFault (an undefined instruction): ipsr=00000003 pc=00000100 cfsr=00010000'
    """
    kind, _, registers = text.removeprefix(START.decode()).partition(" ")
    status = re.search(r"\bcfsr=([0-9a-f]{8})", registers)
    bits = int(status[1], 16) if status else 0
    causes = list(dict.fromkeys(cause for bit, cause in CAUSES.items() if bits >> bit & 1))
    if kind == "stack" and not any("stack" in cause for cause in causes):
        causes.insert(0, "its pointer is below the stack")
    told = f" ({', '.join(causes)})" if causes else ""
    return f"{kind}{told}: {registers}"
