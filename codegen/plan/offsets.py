"""Offsets of blocks: first-fit in several orders, then branch and bound.

Two blocks that meet lie one below the other: i below j if offset_i + gap_ij <= offset_j, where the
gap is i's size, or less where j is an input that i may overwrite. So the problem is scheduling on
one machine with sequence-dependent set-up times (dynamic storage allocation; NP-hard in general).
Branch and bound decides "is there a plan of at most B bytes?" as job-shop solvers do: each
offset has a window; a pair of which only one order fits the windows is ordered; what is ordered
narrows the windows; where the lowest offsets still collide, both orders of one pair are tried.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from codegen.plan.lifetimes import Block, Lifetimes
from codegen.plan.types import ALIGNMENT_BYTES


@dataclass(frozen=True)
class Packing:
    """Offsets per block, the bytes that they take, and bytes below which there is no packing."""

    offsets: Sequence[int]
    extent: int
    bound: int


def pack(lives: Lifetimes, nodes: int) -> Packing:
    """Offsets that take few bytes: the fewest, where the bound is reached or proved.

    ``nodes`` limits each of about ten decisions of the branch and bound.
    """
    problem = _Problem(lives)
    bound = max(lives.needs, default=0)
    best = _first_fits(problem, bound)
    extent = problem.extent(best)
    floor = target = bound  # below floor the search failed or gave up
    while floor < extent and nodes > 0:
        decision = _Decision(problem, target, nodes)
        offsets = decision.solve()
        if offsets is not None:
            best, extent = offsets, problem.extent(offsets)
        else:
            floor = target + ALIGNMENT_BYTES
            if not decision.gave_up:
                bound = floor
        target = (floor + extent) // (2 * ALIGNMENT_BYTES) * ALIGNMENT_BYTES
    return Packing(best, extent, min(bound, extent))


class _Problem:
    """Sizes, and for every block the blocks that it meets."""

    def __init__(self, lives: Lifetimes) -> None:
        self.blocks = lives.blocks
        self.sizes = [block.size for block in lives.blocks]
        # i, j, bytes from i's start to j's where i lies below, and from j's to i's
        self.pairs = [
            (i, j, lives.gaps.get((i, j), a.size), lives.gaps.get((j, i), b.size))
            for i, a in enumerate(lives.blocks)
            for j, b in enumerate(lives.blocks[i + 1 :], i + 1)
            if a.meets(b)
        ]
        self.neighbours: list[list[tuple[int, int, int]]] = [[] for _ in self.sizes]
        for i, j, below, above in self.pairs:
            self.neighbours[i].append((j, below, above))
            self.neighbours[j].append((i, above, below))

    def extent(self, offsets: Sequence[int]) -> int:
        return max((o + s for o, s in zip(offsets, self.sizes, strict=True)), default=0)


def _first_fits(problem: _Problem, bound: int) -> list[int]:
    """The best of first-fit in orders in which it tends to do well."""
    best: list[int] | None = None
    for order in _orders(problem.blocks):
        offsets = _first_fit(problem, order)
        if best is None or problem.extent(offsets) < problem.extent(best):
            best = offsets
        if problem.extent(best) == bound:
            break
    assert best is not None
    return best


def _orders(blocks: Sequence[Block]) -> list[list[int]]:
    indices = range(len(blocks))
    return [
        sorted(indices, key=lambda i: (-blocks[i].size, blocks[i].first)),
        sorted(indices, key=lambda i: (-blocks[i].size, -blocks[i].last)),
        sorted(indices, key=lambda i: -blocks[i].size * (blocks[i].last - blocks[i].first + 1)),
        sorted(indices, key=lambda i: (blocks[i].first, -blocks[i].size)),
        sorted(indices, key=lambda i: (-blocks[i].last, -blocks[i].size)),
    ]


def _first_fit(problem: _Problem, order: Sequence[int]) -> list[int]:
    """Each block at the lowest offset at which it is far enough from those already placed."""
    offsets = [-1] * len(problem.sizes)
    for index in order:
        taken = sorted(
            (offsets[j] - below, offsets[j] + above)
            for j, below, above in problem.neighbours[index]
            if offsets[j] >= 0
        )
        bottom = 0
        for start, stop in taken:
            if start >= bottom:
                break
            bottom = max(bottom, stop)
        offsets[index] = bottom
    return offsets


class _Decision:
    """Whether all blocks fit into ``limit`` bytes, by depth-first search over pairs' orders."""

    def __init__(self, problem: _Problem, limit: int, nodes: int) -> None:
        self.problem, self.limit, self.nodes = problem, limit, nodes
        self.gave_up = False

    def solve(self) -> list[int] | None:
        """Offsets, or None: there are none, or ``gave_up`` is set."""
        sizes = self.problem.sizes
        root = _State([0] * len(sizes), [self.limit - size for size in sizes], set())
        if not self._narrow(root, range(len(sizes))):
            return None
        stack = [root]
        while stack:
            state = stack.pop()
            self.nodes -= 1
            pair = self._collision(state)
            if pair is None:
                return state.low
            if self.nodes <= 0:
                self.gave_up = True
                return None
            i, j, below, above = pair
            room = state.high[j] - below - state.low[i], state.high[i] - above - state.low[j]
            branches = [(i, j), (j, i)]
            for lower, upper in branches if room[0] < room[1] else branches[::-1]:
                branch = _State(state.low.copy(), state.high.copy(), state.decided.copy())
                branch.decided.add((lower, upper))
                if self._narrow(branch, (lower, upper)):
                    stack.append(branch)
        return None

    def _collision(self, state: _State) -> tuple[int, int, int, int] | None:
        """Of the pairs that collide at their lowest offsets, the one with the least room."""
        low, high = state.low, state.high
        worst, least = None, 0
        for pair in self.problem.pairs:
            i, j, below, above = pair
            if low[i] + below <= low[j] or low[j] + above <= low[i]:
                continue
            room = high[i] + high[j] - low[i] - low[j] - below - above
            if worst is None or room < least:
                worst, least = pair, room
        return worst

    def _narrow(self, state: _State, changed: Iterable[int]) -> bool:
        """Tighten windows until nothing changes; whether every block still has room."""
        low, high, decided = state.low, state.high, state.decided
        queue = deque(changed)
        while queue:
            i = queue.popleft()
            if low[i] > high[i]:
                return False
            for j, below, above in self.problem.neighbours[i]:
                may_below = low[i] + below <= high[j] and (j, i) not in decided
                may_above = low[j] + above <= high[i] and (i, j) not in decided
                if may_below and may_above:
                    continue
                if may_below:
                    lower, upper, gap = i, j, below
                elif may_above:
                    lower, upper, gap = j, i, above
                else:
                    return False
                decided.add((lower, upper))
                if low[lower] + gap > low[upper]:
                    low[upper] = low[lower] + gap
                    queue.append(upper)
                if high[upper] - gap < high[lower]:
                    high[lower] = high[upper] - gap
                    queue.append(lower)
        return True


@dataclass
class _State:
    """Windows of offsets, and the pairs (lower, upper) that are decided."""

    low: list[int]
    high: list[int]
    decided: set[tuple[int, int]]
