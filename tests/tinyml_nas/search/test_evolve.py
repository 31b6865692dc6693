import numpy as np
import pytest

from tinyml_nas.search.candidates import Candidates
from tinyml_nas.search.constraints.cnas import CnasConstraint
from tinyml_nas.search.evolve import evolve

LIMITS = CnasConstraint(parameters_millions=0.6, alpha=0.0)


@pytest.fixture
def candidates(toy):
    return Candidates(toy, LIMITS)


def run(candidates, predict, known=(), seed=0, **settings):
    settings = {"domination": True, "population": 16, "generations": 8, **settings}
    return evolve(
        candidates,
        predict,
        seeds=list(known),
        known=set(known),
        rng=np.random.default_rng(seed),
        **settings,
    )


def more_is_better(scaled):
    return 1.0 - scaled.mean(axis=1)


def test_gives_different_canonical_networks_that_are_not_known(candidates):
    known = candidates.initial_design(np.random.default_rng(0), 30)
    found = run(candidates, more_is_better, known)
    assert found
    assert len(set(found)) == len(found)
    assert not set(found) & set(known)
    assert all(candidates.canonical(np.array(genes)) == genes for genes in found)


def test_scores_exactly_the_networks_that_it_gives(candidates, toy):
    scored = set()

    def predict(scaled):
        genes = scaled * toy.upper
        np.testing.assert_allclose(genes, np.rint(genes), atol=1e-9)
        scored.update(tuple(row) for row in np.rint(genes).astype(int).tolist())
        return more_is_better(scaled)

    found = run(candidates, predict)
    assert set(found) <= scored
    assert all(candidates.canonical(np.array(genes)) == genes for genes in scored)


def test_spends_no_offspring_on_known_networks(candidates, toy):
    known = candidates.initial_design(np.random.default_rng(0), 150)
    scored = []

    def predict(scaled):
        scored.extend(tuple(row) for row in np.rint(scaled * toy.upper).astype(int).tolist())
        return more_is_better(scaled)

    evolve(
        candidates,
        predict,
        seeds=known[:4],
        known=set(known),
        domination=True,
        population=16,
        generations=8,
        rng=np.random.default_rng(0),
    )
    assert set(scored) & set(known) == set(known[:4])


def test_domination_leaves_no_infeasible_network(candidates):
    found = run(candidates, more_is_better)
    assert all(candidates.cost(genes).violation == 0 for genes in found)
    free = run(candidates, more_is_better, domination=False)
    assert any(candidates.cost(genes).violation > 0 for genes in free)


def test_mutation_reaches_upper_bounds_that_no_parent_has(candidates, toy, monkeypatch):
    # If its decimals were cut off rather than rounded, it would hardly ever get there.
    cost = toy.footprint(np.zeros(6, dtype=np.int64))
    monkeypatch.setattr(toy, "footprint", lambda _: cost)
    best = []

    def predict(scaled):
        errors = more_is_better(scaled)
        best.append(errors.min())
        return errors

    evolve(
        candidates,
        predict,
        seeds=[(0, 0, 0, 0, 0, 0), *((3, *genes) for genes in np.eye(5, dtype=int).tolist())],
        known=set(),
        domination=False,
        population=6,
        generations=100,
        rng=np.random.default_rng(0),
    )
    assert best[0] > 0.5
    assert min(best) == pytest.approx(0.0)


def test_same_seed_same_population(candidates):
    assert run(candidates, more_is_better, seed=1) == run(candidates, more_is_better, seed=1)
    assert run(candidates, more_is_better, seed=1) != run(candidates, more_is_better, seed=2)
