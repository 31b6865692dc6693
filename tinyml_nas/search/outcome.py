"""From evaluations to the result of a search: the feasible front, and the one chosen of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from tinyml_nas.search.archive import Evaluation
from tinyml_nas.search.base import Constraint, FloatArray, Infeasible, SearchError
from tinyml_nas.search.candidates import Candidates
from tinyml_nas.search.front import fronts, knee
from tinyml_nas.types import SearchResult

Choice = Literal["most_accurate", "knee"]
"""Which network of the feasible front is the search's answer."""


def check_choice(choice: str) -> None:
    """Refuse an unknown way to choose, naming the config key."""
    if choice not in get_args(Choice):
        raise ValueError(
            f"search.choice: must be one of {', '.join(get_args(Choice))}; got {choice!r}"
        )


def check_images(images: int | None) -> None:
    """Refuse to score candidates on no image, naming the config key."""
    if images is not None and images < 1:
        raise ValueError(f"search.images: must be at least 1, or null for all; got {images}")


def succeeded(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """The evaluations that did not fail.

    Raises:
        SearchError: all of them failed.
    """
    valid = [evaluation for evaluation in evaluations if evaluation.failure is None]
    if not valid:
        raise SearchError(
            f"search: all {len(evaluations)} evaluations failed, the first with: "
            f"{evaluations[0].failure if evaluations else 'nothing to evaluate'}"
        )
    return valid


def failures(evaluations: Sequence[Evaluation]) -> dict[str, int]:
    """How many evaluations failed, by the first line of the reason."""
    reasons = (e.failure.partition("\n")[0] for e in evaluations if e.failure is not None)
    return dict(Counter(reasons).most_common())


def objectives(evaluations: Sequence[Evaluation], candidates: Candidates) -> FloatArray:
    """Error and second objective, (N, 2), of evaluations that did not fail."""
    rows = [(e.error, candidates.cost(e.genes).objective) for e in evaluations]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def feasible(evaluations: Sequence[Evaluation], candidates: Candidates) -> list[Evaluation]:
    """Those whose networks keep all limits."""
    return [e for e in evaluations if candidates.cost(e.genes).violation == 0]


def conclude(
    evaluations: Sequence[Evaluation],
    candidates: Candidates,
    constraint: Constraint,
    choice: Choice,
) -> SearchResult:
    """The feasible front by rising second objective, and the network chosen of it.

    The result's archive holds every evaluation that did not fail, in order.

    Raises:
        Infeasible: no network keeps the limits.
        SearchError: all evaluations failed.
    """
    valid = succeeded(evaluations)
    within = feasible(valid, candidates)
    if not within:
        closest = min(valid, key=lambda e: (candidates.cost(e.genes).violation, e.error))
        exceeded = constraint.exceeded(candidates.footprint(closest.genes))
        raise Infeasible(candidates.candidate(closest), exceeded, len(valid), failures(evaluations))
    points = objectives(within, candidates)
    front = fronts(points)[0]
    front = front[np.lexsort((points[front, 0], points[front, 1]))]
    if choice == "knee":
        chosen = front[knee(points[front])]
    else:
        chosen = front[np.lexsort((points[front, 1], points[front, 0]))[0]]
    return SearchResult(
        chosen=candidates.candidate(within[chosen]),
        front=tuple(candidates.candidate(within[i]) for i in front),
        archive=tuple(candidates.candidate(evaluation) for evaluation in valid),
        failures=failures(evaluations),
    )
