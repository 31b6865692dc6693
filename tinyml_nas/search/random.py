"""Random search: the baseline that every other strategy has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tinyml_nas.progress import track
from tinyml_nas.search.archive import Archive
from tinyml_nas.search.base import Constraint, Problem
from tinyml_nas.search.candidates import Candidates
from tinyml_nas.search.outcome import Choice, check_choice, check_images, conclude
from tinyml_nas.types import SearchResult


@dataclass(frozen=True)
class RandomSearch:
    """Evaluates ``evaluations`` networks: the smallest, the largest, the rest at random."""

    constraint: Constraint
    evaluations: int = 340
    choice: Choice = "most_accurate"
    images: int | None = None

    def __post_init__(self) -> None:
        if not self.evaluations >= 2:
            raise ValueError(f"search.evaluations: must be at least 2; got {self.evaluations}")
        check_choice(self.choice)
        check_images(self.images)

    def search(self, problem: Problem, rng: np.random.Generator, folder: Path) -> SearchResult:
        """Search ``problem``; see ``Strategy``."""
        seed = int(rng.integers(2**63))
        candidates = Candidates(problem, self.constraint)
        archive = Archive(
            folder, {"seed": seed, "upper": candidates.upper.tolist(), "strategy": repr(self)}
        )
        propose = partial(candidates.initial_design, np.random.default_rng(seed), self.evaluations)
        runs = archive.run(0, propose, candidates.evaluate)
        for _ in track(runs, "search", total=self.evaluations):
            pass
        archive.retry(candidates.evaluate)
        return conclude(archive.evaluations, candidates, self.constraint, self.choice)
