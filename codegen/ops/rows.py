"""Which rows of a chain of stages exist at a time, when each asks its sources for the rows that it needs.

``runtime/kernels/chain.hpp`` runs by the same rule: the last stage asks first, and the stage that is
asked for a row and waits for none makes it. Here it is run once without data, to learn how many rows
of each stage are kept, which of them never exist at the same time, and when the input is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INPUT = -1
"""As a stage's source: the chain's input."""


@dataclass(frozen=True)
class Slide:
    """How a stage makes ``height`` rows: each of ``kernel`` rows of its sources, which have ``source_height``."""

    sources: tuple[int, ...]
    source_height: int
    height: int
    kernel: int = 1
    stride: int = 1
    pad: int = 0

    def reach(self, y: int) -> tuple[int, int]:
        """Rows [from, to) of its sources that row y is made of; none behind the last row."""
        height = self.source_height
        if y == self.height:
            return height, height
        top = y * self.stride - self.pad
        return min(max(top, 0), height), min(max(top + self.kernel, 0), height)


@dataclass(frozen=True)
class Run:
    """What a run of the chain needs.

    ``kept`` are the rows of each stage, and ``busy`` the steps, as bits, at which it has any that are
    still read, or makes one; ``made`` are the steps at which it makes one. ``reads`` are the input's rows [from, to)
    that are read for each row of the last stage.
    """

    kept: tuple[int, ...]
    busy: tuple[int, ...]
    made: tuple[int, ...]
    reads: tuple[tuple[int, int], ...]


def run(stages: Sequence[Slide]) -> Run:
    """Make all rows of the last stage."""
    count = len(stages)
    made, kept, busy, own = [0] * count, [1] * count, [0] * count, [0] * count
    readers = [[r for r in range(count) if s in stages[r].sources] for s in range(count)]
    reach = [stage.reach(0) for stage in stages]
    alive: dict[int, int] = {}  # since which step
    reads: list[tuple[int, int]] = []
    from_input: list[tuple[int, int]] = []
    last, step = count - 1, 0
    asked = [last]
    while made[last] < stages[last].height:
        number = asked[-1]
        to, sources = reach[number][1], stages[number].sources
        waits_for = next((s for s in sources if s != INPUT and made[s] < to), None)
        if waits_for is not None:
            asked.append(waits_for)
            continue
        if number != last:
            asked.pop()
            kept[number] = max(kept[number], _live(number, made, reach, readers) + 1)
            alive.setdefault(number, step)
        own[number] |= 1 << step
        if INPUT in sources:
            from_input.append(reach[number])
        made[number] += 1
        reach[number] = stages[number].reach(made[number])
        step += 1
        for ring in {number, *sources} & alive.keys():
            if not _live(ring, made, reach, readers):
                since = alive.pop(ring)
                busy[ring] |= (1 << step) - (1 << since)
        if number == last:
            first = min((low for low, _ in from_input), default=0)
            reads.append((first, max((high for _, high in from_input), default=first)))
            from_input = []
    for ring, since in alive.items():
        busy[ring] |= (1 << step) - (1 << since)
    return Run(tuple(kept), tuple(busy), tuple(own), tuple(reads))


def _live(
    ring: int,
    made: Sequence[int],
    reach: Sequence[tuple[int, int]],
    readers: Sequence[Sequence[int]],
) -> int:
    """Rows of a stage that are still to be read."""
    needed = made[ring]
    for reader in readers[ring]:
        needed = min(needed, reach[reader][0])
    return made[ring] - needed


def pack(blocks: Sequence[tuple[int, int]], alignment: int) -> tuple[list[int], int]:
    """Places of (size, steps in which it is in use, as bits), and the bytes that they take together.

    First-fit, the largest first; blocks lie apart that are in use at one step.
    """
    places, end = [0] * len(blocks), 0
    placed: list[int] = []
    for index in sorted(range(len(blocks)), key=lambda i: -blocks[i][0]):
        size, steps = blocks[index]
        taken = sorted(
            (places[i], places[i] + blocks[i][0]) for i in placed if blocks[i][1] & steps
        )
        place = 0
        for start, stop in taken:
            if place + size <= start:
                break
            place = max(place, -(-stop // alignment) * alignment)
        places[index] = place
        placed.append(index)
        end = max(end, place + size)
    return places, end
