"""No search: an end of the space. The thesis's baseline Υ is the smallest network of ``ofa_mbv3``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from tinyml_nas.search.archive import Archive
from tinyml_nas.search.base import Constraint, Problem
from tinyml_nas.search.candidates import Candidates
from tinyml_nas.search.outcome import check_images, conclude
from tinyml_nas.types import SearchResult

End = Literal["smallest", "largest"]


@dataclass(frozen=True)
class Anchor:
    """Evaluates the smallest or the largest network of the space, and takes it if it keeps the limits."""

    constraint: Constraint
    end: End = "smallest"
    images: int | None = None

    def __post_init__(self) -> None:
        if self.end not in get_args(End):
            raise ValueError(
                f"search.end: must be one of {', '.join(get_args(End))}; got {self.end!r}"
            )
        check_images(self.images)

    def search(self, problem: Problem, rng: np.random.Generator, folder: Path) -> SearchResult:
        """Evaluate one network of ``problem``; see ``Strategy``."""
        candidates = Candidates(problem, self.constraint)
        archive = Archive(folder, {"upper": candidates.upper.tolist(), "strategy": repr(self)})
        smallest, largest = problem.anchors()
        chosen = candidates.canonical(smallest if self.end == "smallest" else largest)
        for _ in archive.run(0, lambda: [chosen], candidates.evaluate):
            pass
        archive.retry(candidates.evaluate)
        return conclude(archive.evaluations, candidates, self.constraint, "most_accurate")
