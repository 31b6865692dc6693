"""From importances to widths: in which order groups gain channels, and how far up a limit allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tinyml_nas.pruning.groups import Group

Widths = tuple[int, ...]
"""Channels of each group."""


@dataclass(frozen=True)
class Rung:
    """One group gains one multiple of ``round_to`` channels, up to ``width``."""

    group: int
    width: int


@dataclass(frozen=True)
class Ladder:
    """From the narrowest network, a multiple in each group, to the whole one: a rung at a time."""

    narrowest: Widths
    rungs: tuple[Rung, ...]

    def at(self, height: int) -> Widths:
        """Widths after the first ``height`` rungs."""
        widths = list(self.narrowest)
        for rung in self.rungs[:height]:
            widths[rung.group] = rung.width
        return tuple(widths)

    def widest(self, accepts: Callable[[Widths], bool]) -> Widths | None:
        """The highest widths that are accepted; None where the narrowest are not.

        A bisection finds the last rung, if whatever lies below an accepted network is accepted. Then
        each group above it that still can gains what the limit leaves, in the order of the rungs, so
        that a rung that is too high for one group does not hold back all.
        """
        if accepts(self.at(len(self.rungs))):
            return self.at(len(self.rungs))
        if not accepts(self.narrowest):
            return None
        low, high = 0, len(self.rungs)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if accepts(self.at(middle)) else (low, middle)
        widths, full = list(self.at(low)), set[int]()
        for rung in self.rungs[low:]:
            if rung.group in full:
                continue
            before = widths[rung.group]
            widths[rung.group] = rung.width
            if not accepts(tuple(widths)):
                widths[rung.group] = before
                full.add(rung.group)
        return tuple(widths)


def uniform(groups: Sequence[Group], round_to: int) -> Ladder:
    """All groups keep about the same share: a multiple is gained once half of it is due."""
    rungs = []
    for index, group in enumerate(groups):
        for before, after in _gains(group.width, round_to):
            rungs.append(((before + after) / (2 * group.width), index, after))
    return _ladder(groups, round_to, rungs)


def by_bytes(groups: Sequence[Group], held: Sequence[float], round_to: int) -> Ladder:
    """Groups that hold more bytes keep a smaller share: in the proportion of ``held`` to the power -1/3, up to the whole.

    That is the least sum of a loss for each group that grows as the inverse square of the share that it keeps, at the
    same bytes. The exponent was chosen on validation images (docs/results.md).
    """
    rungs = []
    for index, (group, size) in enumerate(zip(groups, held, strict=True)):
        for before, after in _gains(group.width, round_to):
            share = (before + after) / (2 * group.width)
            rungs.append((size * share**3, index, after))
    return _ladder(groups, round_to, rungs)


def ranked(
    groups: Sequence[Group], importances: Sequence[Sequence[float]], round_to: int
) -> Ladder:
    """The channels of all groups compete: the multiple of the greatest mean importance comes first.

    ``importances`` have each group's channels in any order; they are divided by the group's mean,
    because layers of different shapes have norms of different sizes.
    """
    rungs = []
    for index, (group, scores) in enumerate(zip(groups, importances, strict=True)):
        falling = sorted(scores, reverse=True)
        mean = sum(falling) / len(falling) or 1.0
        for before, after in _gains(group.width, round_to):
            value = sum(falling[before:after]) / (after - before) / mean
            rungs.append((-value, index, after))
    return _ladder(groups, round_to, rungs)


def _ladder(
    groups: Sequence[Group], round_to: int, rungs: Sequence[tuple[float, int, int]]
) -> Ladder:
    narrowest = tuple(min(round_to, group.width) for group in groups)
    return Ladder(narrowest, tuple(Rung(index, width) for _, index, width in sorted(rungs)))


def _gains(width: int, round_to: int) -> list[tuple[int, int]]:
    """From each multiple to the next; the last step ends at ``width``, whether that is one or not."""
    edges = [*range(round_to, width, round_to), width]
    return list(pairwise(edges))
