import numpy as np
import pytest

from tinyml_nas.search.candidates import Candidates
from tinyml_nas.search.constraints.cnas import CnasConstraint


@pytest.fixture
def candidates(toy):
    return Candidates(toy, CnasConstraint())


def test_initial_design_opens_with_the_anchors_and_holds_no_network_twice(toy, candidates):
    design = candidates.initial_design(np.random.default_rng(0), 30)
    assert design[:2] == [(0, 0, 0, 0, 0, 0), (3, 2, 2, 2, 2, 2)]
    assert len(set(design)) == 30
    assert all(genes == candidates.canonical(np.array(genes)) for genes in design)


def test_a_design_within_limits_holds_none_that_exceeds_them_while_there_are_others(toy):
    """The toy has 14 networks of at most 6 M multiply-adds, of 360."""
    candidates = Candidates(toy, CnasConstraint(macs_millions=6.0))
    sizes = {genes: toy.footprint(np.array(genes)).macs for genes in everything(candidates)}
    allowed = sum(size <= 6_000_000 for size in sizes.values())
    design = candidates.design_within_limits(np.random.default_rng(1), allowed + 5)
    assert len(set(design)) == allowed + 5
    assert all(sizes[genes] <= 6_000_000 for genes in design[:allowed])
    assert {sizes[genes] for genes in design[allowed:]} == {7_000_000}  # the next best
    assert (0, 0, 0, 0, 0, 0) in design
    assert (3, 2, 2, 2, 2, 2) not in design


def everything(candidates):
    return candidates.draw(np.random.default_rng(0), 10_000, known=[])


def test_draws_every_network_of_a_small_space_and_then_stops(candidates):
    drawn = candidates.draw(np.random.default_rng(0), 10_000, known=[])
    # 2 to 5 expressed genes of three options each.
    assert len(drawn) == len(set(drawn)) == 9 + 27 + 81 + 243
    assert candidates.draw(np.random.default_rng(1), 5, known=drawn) == []


def test_draw_of_none_or_fewer_is_empty(candidates):
    rng = np.random.default_rng(0)
    assert candidates.draw(rng, 0, known=[]) == candidates.draw(rng, -3, known=[]) == []


def test_footprints_are_computed_once(toy, candidates, monkeypatch):
    calls = []
    footprint = toy.footprint
    monkeypatch.setattr(toy, "footprint", lambda g: calls.append(1) or footprint(g))
    for _ in range(3):
        candidates.cost((0, 1, 1, 0, 0, 0))
    assert len(calls) == 1


def test_scaled_genes_lie_in_the_unit_box(toy, monkeypatch):
    monkeypatch.setattr(toy, "upper", np.array([3, 2, 2, 2, 2, 0]))
    scaled = Candidates(toy, CnasConstraint()).scaled([(3, 2, 1, 0, 0, 0)])
    np.testing.assert_allclose(scaled, [[1.0, 1.0, 0.5, 0.0, 0.0, 0.0]])


def test_an_evaluation_that_raises_is_a_failure_with_its_reason(toy, candidates):
    def fail(genes):
        raise RuntimeError("out of memory")

    toy.before_evaluation = fail
    evaluation = candidates.evaluate((0, 1, 1, 0, 0, 0))
    assert evaluation.failure == "RuntimeError: out of memory"
    assert evaluation.error is None


@pytest.mark.parametrize("error", [float("nan"), -0.1, 1.5, float("inf")])
def test_an_error_out_of_range_is_a_failure(toy, candidates, monkeypatch, error):
    monkeypatch.setattr(toy, "error", lambda _: error)
    assert "must lie in [0, 1]" in candidates.evaluate((0, 0, 0, 0, 0, 0)).failure


def test_an_interrupt_is_not_swallowed(toy, candidates):
    def interrupt(genes):
        raise KeyboardInterrupt

    toy.before_evaluation = interrupt
    with pytest.raises(KeyboardInterrupt):
        candidates.evaluate((0, 0, 0, 0, 0, 0))
