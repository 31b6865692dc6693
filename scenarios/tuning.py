"""How the knobs of a learner are tuned: every learner by the same procedure and effort."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from codegen.learners.base import Knob
from scenarios.driver import Progress

ROUNDS = 2
"""How often all knobs are turned, one after the other, where there are several."""
MOST_WIDENINGS = 4
"""How many values a grid may grow by at each of its ends."""

Score = Callable[[Mapping[str, float]], float]


@dataclass(frozen=True)
class Trial:
    """The score of a set of values."""

    values: Mapping[str, float]
    score: float


@dataclass(frozen=True)
class Tuned:
    """The values chosen, their score, and every trial.

    ``at_edge`` names knobs whose best value is the first or last of its grid, widened as far as it may be.
    """

    values: Mapping[str, float]
    score: float
    trials: tuple[Trial, ...]
    at_edge: tuple[str, ...]


def tune(score: Score, knobs: Sequence[Knob], progress: Progress | None = None) -> Tuned:
    """Turn one knob after the other to its best value; of equal ones to the lowest.

    Each starts at the learner's own value. Where the best value is the first or last of the grid, the grid
    grows by another one, as far from it as its neighbour is (in ratio where all are positive).

    Args:
        score: Higher is better.
        knobs: Of one learner.
        progress: Called with the trials done and the trials known to come.
    """
    grids = {knob.name: list(knob.grid) for knob in knobs}
    values = {knob.name: knob.value for knob in knobs}
    tried: dict[tuple[float, ...], float] = {}
    expected = sum(len(knob.grid) for knob in knobs)

    def tell(at: Mapping[str, float]) -> float:
        key = tuple(at.values())
        if key not in tried:
            tried[key] = score(at)
            if progress is not None:
                progress(len(tried), max(len(tried), expected))
        return tried[key]

    def best(knob: Knob) -> float:
        scores = {value: tell(values | {knob.name: value}) for value in grids[knob.name]}
        return max(scores, key=lambda value: (scores[value], -value))

    for _ in range(ROUNDS if len(knobs) > 1 else 1):
        before = dict(values)
        for knob in knobs:
            grid = grids[knob.name]
            values[knob.name] = best(knob)
            while (wider := _widened(knob, grid, values[knob.name])) is not None:
                grids[knob.name] = grid = wider
                values[knob.name] = best(knob)
        if values == before:
            break
    trials = tuple(
        Trial(dict(zip(values, key, strict=True)), found) for key, found in tried.items()
    )
    edges = tuple(
        name
        for name, grid in grids.items()
        if len(grid) > 1 and values[name] in (grid[0], grid[-1])
    )
    return Tuned(dict(values), tell(values), trials, edges)


def _widened(knob: Knob, grid: list[float], value: float) -> list[float] | None:
    """The grid with one more value beyond ``value``, None where that is not at an edge or there is none."""
    if len(grid) < 2 or value not in (grid[0], grid[-1]):
        return None
    is_first = value == grid[0]
    grown = sum(item < knob.grid[0] if is_first else item > knob.grid[-1] for item in grid)
    neighbour = grid[1] if is_first else grid[-2]
    beyond = value * value / neighbour if grid[0] > 0 else 2 * value - neighbour
    beyond = min(max(beyond, knob.least), knob.most)
    if grown == MOST_WIDENINGS or beyond == value:
        return None
    return [beyond, *grid] if is_first else [*grid, beyond]
