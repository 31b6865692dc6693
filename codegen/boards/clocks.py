"""How the clocks of a board are set up before anything else runs: the registers to write, in order.

The steps are part of a board's own file, so that a chip of any kind can have them. The program goes
through them with one loop (``platform/clocks.cpp``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from codegen.boards.regions import ADDRESS_SPACE_BYTES

MOST_STEPS = 64
MOST_PAUSE = 1_000_000
_STEP = re.compile(r"(0x[0-9A-Fa-f]{1,8}) & (0x[0-9A-Fa-f]{1,8}) (=|\?) (0x[0-9A-Fa-f]{1,8})")
_PAUSE = re.compile(r"pause ([0-9]{1,7})")
_SYNTAX = (
    "'ADDRESS & MASK = VALUE' (these bits of a register), 'ADDRESS & MASK ? VALUE' (wait until it has "
    "them) or 'pause LOOPS', with numbers as 0x40021000"
)
CHANGE, AWAIT, PAUSE = 0, 1, 2
"""As ``platform/clocks.cpp`` has them, in the two low bits of an address."""


@dataclass(frozen=True)
class Step:
    """``kind`` says what to do with the register at ``address``; a pause has its loops in ``mask``."""

    kind: int
    address: int
    mask: int
    value: int

    @property
    def words(self) -> tuple[int, int, int]:
        """As the program has it."""
        return self.address | self.kind, self.mask, self.value


@dataclass(frozen=True)
class Clock:
    """Table ``clock`` of a board: ``hz`` is what the core runs at after the ``steps``.

    A step is a line of text: ``0x40022000 & 0xF = 0x5`` changes the bits of a mask in a register,
    ``0x40021000 & 0x400 ? 0x400`` waits until they have a value, ``pause 100`` waits for as many turns
    of a loop. Without steps clocks stay as reset leaves them.
    """

    hz: int = 0
    steps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.steps) > MOST_STEPS:
            raise ValueError(
                f"device.clock.steps: must be at most {MOST_STEPS}; got {len(self.steps)}"
            )
        if bool(self.steps) != bool(self.hz) or not 0 <= self.hz < ADDRESS_SPACE_BYTES:
            raise ValueError(
                "device.clock.hz: must be what the core runs at after the steps, or 0 where there are "
                f"none; got {self.hz} and {len(self.steps)} steps"
            )
        _ = self.parsed

    @cached_property
    def parsed(self) -> tuple[Step, ...]:
        """The steps as numbers."""
        return tuple(_parse(number, text) for number, text in enumerate(self.steps))


def _parse(number: int, text: str) -> Step:
    if (pause := _PAUSE.fullmatch(text)) and int(pause[1]) <= MOST_PAUSE:
        return Step(PAUSE, 0, int(pause[1]), 0)
    found = _STEP.fullmatch(text)
    if found is None:
        raise ValueError(f"device.clock.steps[{number}]: must be {_SYNTAX}; got {text!r}")
    address, mask, value = (int(found[group], 16) for group in (1, 2, 4))
    if address % 4 or value & ~mask:
        raise ValueError(
            f"device.clock.steps[{number}]: needs an address of a word, and no bits of the value "
            f"outside of the mask; got {text!r}"
        )
    return Step(CHANGE if found[3] == "=" else AWAIT, address, mask, value)


RESET_CLOCK = Clock()
