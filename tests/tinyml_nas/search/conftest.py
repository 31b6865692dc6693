"""A problem that is solved by looking, and the real one of NAS-Bench-Macro."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.nas_bench_macro import NasBenchMacro
from tinyml_nas.types import Architecture, Footprint

TABLE = Path(__file__).parents[4] / "shared" / "data" / "nas-bench-macro_cifar10.json"


class Toy:
    """Gene 0 is a depth; of the five genes after it the first ``2 + depth`` are expressed.

    More is more accurate and costs more, with diminishing returns. It counts its evaluations, and
    refuses genotypes that are not canonical: whatever is scored must be what is decoded.
    """

    upper = np.array([3, 2, 2, 2, 2, 2], dtype=np.int64)

    def __init__(self) -> None:
        self.evaluated: list[tuple[int, ...]] = []
        self.before_evaluation: Callable[[tuple[int, ...]], None] = lambda genes: None

    def canonical(self, genotype):
        genes = np.array(genotype)
        genes[3 + genes[0] :] = 0
        return genes

    def anchors(self):
        return [np.zeros_like(self.upper), self.upper]

    def footprint(self, genotype):
        size = self._size(genotype)
        return Footprint(
            parameters=100_000 * size,
            macs=1_000_000 * size,
            activations=10_000 * size,
            flash_bytes=110_000 * size,
            sram_bytes=20_000 * size,
            omega_bytes=130_000 * size,
        )

    def error(self, genotype):
        genes = tuple(int(gene) for gene in genotype)
        self.before_evaluation(genes)
        self.evaluated.append(genes)
        return self.true_error(genotype)

    def true_error(self, genotype):
        weights = np.array([0.9, 1.0, 0.8, 0.5, 0.3, 0.2])
        return float(0.08 + 0.6 * np.exp(-0.3 * (weights * np.asarray(genotype)).sum()))

    def architecture(self, genotype):
        return Architecture(tuple(int(gene) for gene in genotype), 32)

    def _size(self, genotype):
        genes = np.asarray(genotype)
        assert np.issubdtype(genes.dtype, np.integer)
        assert np.all((genes >= 0) & (genes <= self.upper))
        assert np.array_equal(genes, self.canonical(genes))
        return 1 + int(genes.sum())


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture(scope="session")
def nas_bench_macro() -> NasBenchMacro:
    if not TABLE.exists():
        pytest.skip(f"NAS-Bench-Macro is not in {TABLE}")
    return NasBenchMacro(TABLE)
