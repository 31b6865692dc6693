"""MSuNAS: surrogate-assisted, bi-objective evolutionary search over a supernet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from tinyml_nas.progress import counter
from tinyml_nas.search.archive import Archive, Evaluation, Genes
from tinyml_nas.search.base import Constraint, Predictor, Problem
from tinyml_nas.search.candidates import Candidates
from tinyml_nas.search.front import fronts, hypervolume
from tinyml_nas.search.outcome import (
    Choice,
    check_choice,
    check_images,
    conclude,
    feasible,
    objectives,
    succeeded,
)
from tinyml_nas.search.selection import select
from tinyml_nas.types import SearchResult

Design = Literal["uniform", "within_limits"]
"""How the first networks are drawn."""


@dataclass(frozen=True)
class MSuNAS:
    """MSuNAS (Lu et al., 2020, https://arxiv.org/abs/2007.10396).

    An initial design of ``doe`` networks is truly evaluated: the smallest, the largest, the rest
    at random. Each of up to ``iterations`` iterations fits ``predictor`` on all evaluations so
    far, evolves ``population`` networks over ``generations`` by NSGA-II on predicted error and
    ``constraint``'s objective, and truly evaluates ``batch`` of them, spread along the front.
    Limits are kept by constraint domination (Deb, 2000).

    As published the design is ``uniform``. ``within_limits`` takes, of many random networks, those that
    violate the limits least.

    It ends early when the hypervolume of the feasible front has not grown by a share of
    ``min_growth`` for ``patience`` iterations; as long as nothing is feasible, it goes on.
    """

    predictor: Predictor
    constraint: Constraint
    doe: int = 100
    design: Design = "uniform"
    images: int | None = None
    iterations: int = 30
    batch: int = 8
    patience: int = 10
    min_growth: float = 0.0
    population: int = 40
    generations: int = 20
    choice: Choice = "most_accurate"

    def __post_init__(self) -> None:
        least = {
            "doe": 2,
            "iterations": 0,
            "batch": 1,
            "patience": 1,
            "min_growth": 0,
            "population": 4,
            "generations": 1,
        }
        for key, minimum in least.items():
            if not getattr(self, key) >= minimum:
                raise ValueError(
                    f"search.{key}: must be at least {minimum}; got {getattr(self, key)}"
                )
        check_choice(self.choice)
        check_images(self.images)
        if self.design not in get_args(Design):
            raise ValueError(
                f"search.design: must be one of {', '.join(get_args(Design))}; got {self.design!r}"
            )

    @property
    def domination(self) -> bool:
        """Whether NSGA-II sees the limits: by constraint domination, always."""
        return True

    def search(self, problem: Problem, rng: np.random.Generator, folder: Path) -> SearchResult:
        """Search ``problem``; see ``Strategy``.

        The one number drawn from ``rng`` seeds each iteration on its own, so that a search that
        goes on after a kill evaluates the same networks as one that was never interrupted.
        """
        seed = int(rng.integers(2**63))
        candidates = Candidates(problem, self.constraint)
        archive = Archive(
            folder, {"seed": seed, "upper": candidates.upper.tolist(), "strategy": repr(self)}
        )
        with counter("search", self.doe + self.iterations * self.batch) as progress:
            volumes: list[float] = []
            for iteration in range(self.iterations + 1):
                known = archive.evaluations
                propose = partial(
                    self._propose, candidates, known, np.random.default_rng([seed, iteration])
                )
                for _ in archive.run(iteration, propose, candidates.evaluate):
                    progress.advance()
                if len(archive.evaluations) == len(known):
                    break  # the space holds no further network
                volumes.append(self._volume(candidates, archive.evaluations))
                if self._stalled(volumes):
                    break
        archive.retry(candidates.evaluate)
        return conclude(archive.evaluations, candidates, self.constraint, self.choice)

    def _propose(
        self,
        candidates: Candidates,
        evaluations: Sequence[Evaluation],
        rng: np.random.Generator,
    ) -> list[Genes]:
        """The next batch: the initial design, then what the surrogate finds promising."""
        # pymoo takes a second to import: only a search that proposes something waits for it.
        from tinyml_nas.search.evolve import evolve

        known = {evaluation.genes for evaluation in evaluations}
        if not known:
            if self.design == "within_limits":
                return candidates.design_within_limits(rng, self.doe)
            return candidates.initial_design(rng, self.doe)
        valid = succeeded(evaluations)
        predict = self.predictor.fit(
            candidates.scaled([e.genes for e in valid]), np.array([e.error for e in valid])
        )
        parents = feasible(valid, candidates) or valid
        front = fronts(objectives(parents, candidates))[0]
        population = evolve(
            candidates,
            predict,
            seeds=[parents[i].genes for i in front],
            known=known,
            domination=self.domination,
            population=self.population,
            generations=self.generations,
            rng=rng,
        )
        population += candidates.draw(
            rng, self.batch - len(population), known={*known, *population}
        )
        if not population:
            return []
        costs = [candidates.cost(genes) for genes in population]
        chosen = select(
            points=np.column_stack(
                [predict(candidates.scaled(population)), [cost.objective for cost in costs]]
            ),
            violations=np.array([cost.violation * self.domination for cost in costs]),
            occupied=objectives([parents[i] for i in front], candidates)[:, 1],
            reference=self.constraint.reference,
            count=self.batch,
        )
        return [population[i] for i in chosen]

    def _volume(self, candidates: Candidates, evaluations: Sequence[Evaluation]) -> float:
        """Hypervolume of the feasible networks, as a share of the box that the limits span."""
        within = feasible(succeeded(evaluations), candidates)
        return hypervolume(
            objectives(within, candidates), reference=(1.0, self.constraint.reference)
        )

    def _stalled(self, volumes: Sequence[float]) -> bool:
        """Whether the last ``patience`` iterations added too little to what was there before."""
        before = volumes[: -self.patience]
        return bool(before) and before[-1] > 0 and volumes[-1] <= before[-1] * (1 + self.min_growth)
