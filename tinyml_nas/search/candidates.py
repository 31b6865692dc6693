"""A problem under a constraint, seen through hashable canonical genes."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tinyml_nas.search.archive import Evaluation, Genes
from tinyml_nas.search.base import Constraint, FloatArray, Problem
from tinyml_nas.types import Candidate, Footprint

POOL = 20
"""Networks drawn for each of a design within the limits."""

DRAWS_IN_VAIN = 10_000
"""Draws in a row that give no new network, after which the space is taken to hold none."""


class Cost(NamedTuple):
    """What a constraint says of a network."""

    objective: float
    violation: float


class Candidates:
    """Canonical genes, their costs (computed once each) and their true evaluation."""

    def __init__(self, problem: Problem, constraint: Constraint) -> None:
        self._problem = problem
        self._constraint = constraint
        self._upper = np.asarray(problem.upper, dtype=np.int64)
        self._footprints: dict[Genes, Footprint] = {}

    @property
    def upper(self) -> npt.NDArray[np.int64]:
        """Inclusive upper bound of each gene, (G,)."""
        return self._upper

    def canonical(self, genotype: npt.NDArray[np.int64]) -> Genes:
        """The genes that stand for this network."""
        return tuple(self._problem.canonical(genotype).tolist())

    def initial_design(self, rng: np.random.Generator, count: int) -> list[Genes]:
        """The smallest and the largest network, then random ones: ``count`` different ones."""
        anchors = dict.fromkeys(self.canonical(anchor) for anchor in self._problem.anchors())
        return [*anchors, *self.draw(rng, count - len(anchors), known=anchors)]

    def design_within_limits(self, rng: np.random.Generator, count: int) -> list[Genes]:
        """``count`` different networks: of ``POOL`` times as many, those that exceed the limits least.

        Where the limits leave little of a space, a uniform design spends its evaluations, and the
        dearest of them, on networks that nobody may choose.
        """
        drawn = self.draw(rng, POOL * count, known=())
        anchors = dict.fromkeys(self.canonical(anchor) for anchor in self._problem.anchors())
        pool = dict.fromkeys([*anchors, *drawn])
        return sorted(pool, key=lambda genes: self.cost(genes).violation)[:count]

    def draw(self, rng: np.random.Generator, count: int, known: Container[Genes]) -> list[Genes]:
        """Draw up to ``count`` different networks that are not ``known``, each gene uniformly.

        Fewer come back only where the space seems to hold no more.
        """
        drawn: dict[Genes, None] = {}
        in_vain = 0
        while len(drawn) < count and in_vain < DRAWS_IN_VAIN:
            genes = self.canonical(rng.integers(0, self._upper, endpoint=True))
            if genes in known or genes in drawn:
                in_vain += 1
            else:
                drawn[genes] = None
                in_vain = 0
        return list(drawn)

    def scaled(self, genes: npt.ArrayLike) -> FloatArray:
        """Genes (N, G) scaled to [0, 1]; a gene with one option is 0."""
        return np.asarray(genes, dtype=np.float64) / np.maximum(self._upper, 1)

    def footprint(self, genes: Genes) -> Footprint:
        """What the network costs."""
        if genes not in self._footprints:
            self._footprints[genes] = self._problem.footprint(np.array(genes, dtype=np.int64))
        return self._footprints[genes]

    def cost(self, genes: Genes) -> Cost:
        """The second objective and the violation of the limits."""
        footprint = self.footprint(genes)
        return Cost(self._constraint.objective(footprint), self._constraint.violation(footprint))

    def evaluate(self, genes: Genes) -> Evaluation:
        """Evaluate truly. Whatever goes wrong is the evaluation's failure, not the search's."""
        try:
            error = float(self._problem.error(np.array(genes, dtype=np.int64)))
            footprint = self.footprint(genes)
        except Exception as failure:  # noqa: BLE001 - hours of search outlive one network
            return Evaluation(genes, None, None, f"{type(failure).__name__}: {failure}")
        if not 0.0 <= error <= 1.0:
            return Evaluation(genes, None, None, f"the error must lie in [0, 1]; got {error}")
        return Evaluation(genes, error, footprint)

    def candidate(self, evaluation: Evaluation) -> Candidate:
        """The candidate of an evaluation that did not fail."""
        assert evaluation.error is not None
        assert evaluation.footprint is not None
        architecture = self._problem.architecture(np.array(evaluation.genes, dtype=np.int64))
        return Candidate(architecture, 1.0 - evaluation.error, evaluation.footprint)
