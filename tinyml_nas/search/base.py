"""What a search is made of: a problem, a strategy, a constraint and a predictor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tinyml_nas.types import Architecture, Candidate, Footprint, SearchResult

Genotype = npt.NDArray[np.int64]
"""Integer genes (G,)."""

FloatArray = npt.NDArray[np.float64]


class Problem(Protocol):
    """A search space, what its networks cost, and their true, expensive evaluation."""

    @property
    def upper(self) -> Genotype:
        """Inclusive upper bound of each gene, (G,); the lower bound is 0."""
        ...

    def canonical(self, genotype: Genotype) -> Genotype:
        """The one genotype that stands for this network: unexpressed genes are zero."""
        ...

    def anchors(self) -> Sequence[Genotype]:
        """The smallest and the largest network; every initial design opens with them."""
        ...

    def footprint(self, genotype: Genotype) -> Footprint:
        """What the network costs: exact, and cheap enough for thousands of candidates."""
        ...

    def error(self, genotype: Genotype) -> float:
        """Top-1 error in [0, 1] on the validation split, with inherited weights. Expensive."""
        ...

    def architecture(self, genotype: Genotype) -> Architecture:
        """The architecture that a canonical genotype decodes to."""
        ...


class Strategy(Protocol):
    """A way to spend true evaluations."""

    @property
    def constraint(self) -> Constraint:
        """The limits that the networks must keep, and the second objective."""
        ...

    @property
    def images(self) -> int | None:
        """Images of the validation split, from its first on, that score a candidate; None for all."""
        ...

    def search(self, problem: Problem, rng: np.random.Generator, folder: Path) -> SearchResult:
        """Search ``problem``; a search that was killed goes on from what ``folder`` holds.

        A network whose evaluation failed is tried again when the search goes on, and once more
        before it ends: what the result calls a failure has failed twice.

        Raises:
            Infeasible: no evaluated network keeps the limits.
            SearchError: no network could be evaluated.
        """
        ...


class Predictor(Protocol):
    """A surrogate of the true evaluation."""

    def fit(self, genes: FloatArray, errors: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Learn from ``genes`` (N, G), each scaled to [0, 1], and their ``errors`` (N,).

        Returns a function from genes (M, G) to predicted errors (M,).
        """
        ...


@dataclass(frozen=True)
class Exceeded:
    """A limit that a network does not keep; ``used`` and ``allowed`` in the unit of its name."""

    name: str
    used: int
    allowed: int

    @property
    def relative(self) -> float:
        """The excess as a share of the limit."""
        return (self.used - self.allowed) / self.allowed

    def __str__(self) -> str:
        excess = self.used - self.allowed
        return f"{self.name} by {excess:,} ({self.used:,} of {self.allowed:,})"


class Constraint(Protocol):
    """The second objective of a search, and the limits that its networks must keep."""

    @property
    @abstractmethod
    def reference(self) -> float:
        """An upper bound of the objective of every network that keeps the limits.

        It is the hypervolume's reference point: known before anything is evaluated, and free of
        penalties.
        """

    @property
    @abstractmethod
    def penalised(self) -> bool:
        """Whether the objective itself carries a penalty for every limit that is exceeded."""

    @property
    def as_deployed(self) -> bool:
        """Whether memory is limited of the network as it will be deployed: here none is limited."""
        return False

    @abstractmethod
    def objective(self, footprint: Footprint) -> float:
        """The second objective, minimised."""

    @abstractmethod
    def exceeded(self, footprint: Footprint) -> tuple[Exceeded, ...]:
        """The limits that the network does not keep; empty when it is feasible."""

    def violation(self, footprint: Footprint) -> float:
        """Sum of the relative excesses; 0.0 when feasible."""
        return sum((limit.relative for limit in self.exceeded(footprint)), 0.0)


class Infeasible(Exception):
    """No evaluated network keeps the limits; the pipeline makes a result row of it.

    ``closest`` is the candidate of the least violation, ``exceeded`` the limits that it misses,
    ``failures`` the number of networks that could not be evaluated, by reason.
    """

    def __init__(
        self,
        closest: Candidate,
        exceeded: tuple[Exceeded, ...],
        evaluations: int,
        failures: dict[str, int],
    ) -> None:
        self.closest = closest
        self.exceeded = exceeded
        self.evaluations = evaluations
        self.failures = failures
        super().__init__(
            f"search: none of the {evaluations} networks evaluated keeps the limits; the closest "
            f"exceeds {', '.join(map(str, exceeded))}"
        )


class SearchError(Exception):
    """The search cannot give a result: every evaluation failed."""
