"""NAS-Bench-Macro (Su et al., 2021) as a search problem: real networks, answered from a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_nas.search.constraints.cnas import CnasConstraint
from tinyml_nas.search.front import hypervolume
from tinyml_nas.types import Architecture, Candidate, Footprint

LAYERS = 8
CHOICES = 3
SWAPS = ((3, 4), (6, 7))
"""Neighbours of equal shape: with one identity in a pair, either order is the same network."""

COST = CnasConstraint(
    parameters_millions=3.0,
    activations_millions=1.0,
    macs_millions=106.0,
    parameters_weight=0.0,
    activations_weight=0.0,
    alpha=0.0,
)
"""The second objective is FLOPs, in millions. Every network of the bench keeps the limits."""


class NasBenchMacro:
    """3,969 trained networks under 6,561 genotypes; gene: 0 identity, 1 MB3-K3, 2 MB6-K5.

    Footprints hold the published parameters, and FLOPs as MACs; the table has no activations,
    flash or SRAM, which are 1. Errors are means over three seeds on CIFAR-10's test set: this
    bench compares searches, its accuracies are no result of this project.
    """

    def __init__(self, path: Path) -> None:
        self._table: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))

    @property
    def upper(self) -> npt.NDArray[np.int64]:
        """Three choices a layer."""
        return np.full(LAYERS, CHOICES - 1, dtype=np.int64)

    def canonical(self, genotype: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Identities go behind the layer that they may swap with."""
        genes = np.array(genotype, dtype=np.int64)
        for first, second in SWAPS:
            if genes[first] == 0:
                genes[first], genes[second] = genes[second], 0
        return genes

    def anchors(self) -> list[npt.NDArray[np.int64]]:
        """All identities; all MB6-K5."""
        return [np.zeros_like(self.upper), self.upper]

    def footprint(self, genotype: npt.NDArray[np.int64]) -> Footprint:
        """Parameters and FLOPs."""
        row = self._row(genotype)
        return Footprint(
            parameters=row["params"],
            macs=row["flops"],
            activations=1,
            flash_bytes=1,
            sram_bytes=1,
            omega_bytes=1,
        )

    def error(self, genotype: npt.NDArray[np.int64]) -> float:
        """Mean top-1 error in [0, 1]."""
        return float(1.0 - self._row(genotype)["mean_acc"] / 100.0)

    def architecture(self, genotype: npt.NDArray[np.int64]) -> Architecture:
        """The genes themselves, at 32 pixels."""
        return Architecture(tuple(int(gene) for gene in genotype), 32)

    def share(self, candidates: Iterable[Candidate]) -> float:
        """Hypervolume of ``candidates`` in error and FLOPs, as a share of the whole bench's.

        The box reaches from the best to the worst of the bench in each of the two.
        """
        points = [(1.0 - c.accuracy, COST.objective(c.footprint)) for c in candidates]
        low, high = self._points.min(axis=0), self._points.max(axis=0)
        span = (float(high[0] - low[0]), float(high[1] - low[1]))
        return hypervolume(np.array(points) - low, span) / hypervolume(self._points - low, span)

    @cached_property
    def _points(self) -> npt.NDArray[np.float64]:
        genotypes = [np.array(genes) for genes in product(range(CHOICES), repeat=LAYERS)]
        return np.array([(self.error(g), COST.objective(self.footprint(g))) for g in genotypes])

    def _row(self, genotype: npt.NDArray[np.int64]) -> dict[str, Any]:
        return self._table["".join(str(int(gene)) for gene in genotype)]
