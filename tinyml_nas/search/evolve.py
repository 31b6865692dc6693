"""NSGA-II on the surrogate (Deb et al., 2002), over integer genes.

Every individual that is scored is a canonical integer genotype: offspring are rounded and made
canonical before they are compared or scored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.repair import Repair
from pymoo.operators.crossover.pntx import TwoPointCrossover
from pymoo.operators.mutation.pm import PolynomialMutation
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.optimize import minimize

from tinyml_nas.search.archive import Genes
from tinyml_nas.search.base import FloatArray
from tinyml_nas.search.candidates import Candidates

CROSSOVER_PROBABILITY = 0.9
MUTATION_ETA = 3.0
"""Distribution index of the polynomial mutation; low, so that a change survives the rounding."""

MATINGS = 10
"""Rounds of mating for one generation, after which it has to do with what new networks it has."""


class _Scored(Problem):  # type: ignore[misc]
    """Predicted error and second objective; the violation where limits are kept by dominance."""

    def __init__(
        self,
        candidates: Candidates,
        predict: Callable[[FloatArray], FloatArray],
        domination: bool,
    ) -> None:
        upper = candidates.upper
        super().__init__(
            n_var=len(upper),
            n_obj=2,
            n_ieq_constr=int(domination),
            xl=np.zeros_like(upper),
            xu=upper,
            vtype=int,
        )
        self._candidates = candidates
        self._predict = predict

    def _evaluate(self, x: Any, out: dict[str, Any], *_: Any, **__: Any) -> None:
        costs = [self._candidates.cost(_genes(row)) for row in x]
        errors = self._predict(self._candidates.scaled(x))
        out["F"] = np.column_stack([errors, [cost.objective for cost in costs]])
        if self.n_ieq_constr:
            out["G"] = np.array([[cost.violation] for cost in costs])


class _Canonical(Repair):  # type: ignore[misc]
    def __init__(self, candidates: Candidates) -> None:
        super().__init__()
        self._candidates = candidates

    def _do(self, _: Problem, x: Any, **__: Any) -> Any:
        return np.array([self._candidates.canonical(row) for row in x], dtype=np.int64)


class _Unseen(DuplicateElimination):  # type: ignore[misc]
    """Drops offspring that the archive, the population or the other offspring hold already."""

    def __init__(self, known: Collection[Genes]) -> None:
        super().__init__()
        self._known = known

    def do(self, population: Any, *others: Any, **_: Any) -> Any:
        # Without others this is the initial population, whose known members are its seeds.
        seen = {_genes(x) for other in others for x in other.get("X")}
        if others:
            seen.update(self._known)
        keep = []
        for index, x in enumerate(population.get("X")):
            genes = _genes(x)
            if genes not in seen:
                seen.add(genes)
                keep.append(index)
        return population[keep]


def evolve(
    candidates: Candidates,
    predict: Callable[[FloatArray], FloatArray],
    seeds: Sequence[Genes],
    known: Collection[Genes],
    domination: bool,
    population: int,
    generations: int,
    rng: np.random.Generator,
) -> list[Genes]:
    """Evolve ``seeds``, filled up by random networks; the new networks of the last population.

    ``known`` networks breed but do not come back. With ``domination`` the limits are kept by
    Deb's rule, else by the objective's own penalty.
    """
    start = list(seeds)
    start += candidates.draw(rng, population - len(start), known={*known, *start})
    algorithm = NSGA2(
        pop_size=population,
        sampling=Population.new(X=np.array(start, dtype=np.int64)),
        crossover=TwoPointCrossover(prob=CROSSOVER_PROBABILITY, vtype=int),
        # No vtype here: pymoo would cut the decimals off before the repair can round them.
        mutation=PolynomialMutation(prob=1.0, eta=MUTATION_ETA, repair=RoundingRepair()),
        repair=_Canonical(candidates),
        eliminate_duplicates=_Unseen(known),
    )
    algorithm.mating.n_max_iterations = MATINGS
    result = minimize(
        _Scored(candidates, predict, domination),
        algorithm,
        ("n_gen", generations),
        seed=int(rng.integers(2**31)),
        copy_algorithm=False,  # a deep copy would take the problem and its supernet with it
    )
    return [genes for genes in map(_genes, result.pop.get("X")) if genes not in known]


def _genes(row: Any) -> Genes:
    return tuple(row.tolist())
