"""How well the search spends its evaluations, on real networks."""

from itertools import product

import numpy as np
import pytest

from benchmarks.search import MSUNAS, RANDOM, SEEDS, run


@pytest.fixture(scope="module")
def archives(nas_bench_macro):
    return {
        name: [run(strategy, nas_bench_macro, seed) for seed in SEEDS]
        for name, strategy in (("msunas", MSUNAS), ("random", RANDOM))
    }


def shares(bench, archives, evaluations):
    return [bench.share(archive[:evaluations]) for archive in archives]


def test_its_symmetry_is_that_of_the_published_networks(nas_bench_macro):
    genotypes = np.array(list(product(range(3), repeat=8)))
    canonical = {tuple(nas_bench_macro.canonical(genes)) for genes in genotypes}
    assert len(canonical) == 3_969
    for genes in genotypes:
        assert nas_bench_macro.error(genes) == nas_bench_macro.error(
            nas_bench_macro.canonical(genes)
        )


def test_beats_random_search_at_60_evaluations_with_every_seed(nas_bench_macro, archives):
    msunas = shares(nas_bench_macro, archives["msunas"], 60)
    random = shares(nas_bench_macro, archives["random"], 60)
    assert min(msunas) > max(random)
    assert np.mean(msunas) > 0.97


def test_finds_nearly_the_whole_front_within_100_evaluations(nas_bench_macro, archives):
    assert min(shares(nas_bench_macro, archives["msunas"], 100)) > 0.98
