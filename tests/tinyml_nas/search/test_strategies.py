import itertools
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tinyml_nas.search.conftest import Toy
from tinyml_nas.search.anchor import Anchor
from tinyml_nas.search.archive import FILE_NAME
from tinyml_nas.search.base import Infeasible, SearchError
from tinyml_nas.search.cnas import CNAS
from tinyml_nas.search.constraints.board import BoardConstraint
from tinyml_nas.search.constraints.cnas import CnasConstraint
from tinyml_nas.search.msunas import MSuNAS
from tinyml_nas.search.predictors.rbf import RbfPredictor
from tinyml_nas.search.random import RandomSearch

LIMITS = CnasConstraint(parameters_millions=0.9, macs_millions=8.0, alpha=0.0)
MSUNAS = MSuNAS(
    predictor=RbfPredictor(),
    constraint=LIMITS,
    doe=10,
    iterations=3,
    batch=4,
    population=12,
    generations=4,
)
PAPER = CNAS(**{**vars(MSUNAS), "constraint": replace(LIMITS, alpha=1e10)})
BOARD = replace(
    PAPER, constraint=BoardConstraint(flash_bytes=770_000, sram_bytes=10**6, cnas=LIMITS)
)
RANDOM = RandomSearch(constraint=LIMITS, evaluations=22)

every_strategy = pytest.mark.parametrize(
    "strategy", [MSUNAS, PAPER, BOARD, RANDOM], ids=["msunas", "cnas", "board", "random"]
)


def search(strategy, problem, folder, seed=0):
    return strategy.search(problem, np.random.default_rng(seed), folder)


@every_strategy
def test_spends_its_budget_on_different_networks(strategy, toy, tmp_path):
    result = search(strategy, toy, tmp_path)
    assert len(result.archive) == len(toy.evaluated) == len(set(toy.evaluated)) == 22
    assert [c.architecture.genes for c in result.archive] == toy.evaluated


@every_strategy
def test_every_candidate_has_its_own_accuracy_and_footprint(strategy, toy, tmp_path):
    for candidate in search(strategy, toy, tmp_path).archive:
        genes = np.array(candidate.architecture.genes)
        assert candidate.accuracy == pytest.approx(1 - toy.true_error(genes))
        assert candidate.footprint == toy.footprint(genes)


@every_strategy
def test_front_is_feasible_and_undominated_and_the_chosen_is_its_most_accurate(
    strategy, toy, tmp_path
):
    result = search(strategy, toy, tmp_path)
    constraint = strategy.constraint
    within = [c for c in result.archive if constraint.violation(c.footprint) == 0]
    assert set(result.front) <= set(within)
    assert result.chosen in result.front
    assert result.chosen.accuracy == max(c.accuracy for c in within)
    costs = [constraint.objective(c.footprint) for c in result.front]
    errors = [1 - c.accuracy for c in result.front]
    assert costs == sorted(costs)
    assert errors == sorted(errors, reverse=True)
    for candidate in within:
        cost, error = constraint.objective(candidate.footprint), 1 - candidate.accuracy
        assert any(c <= cost and e <= error for c, e in zip(costs, errors, strict=True))


@every_strategy
def test_same_seed_same_result_other_seed_another(strategy, toy, tmp_path):
    first = search(strategy, toy, tmp_path / "a", seed=3)
    assert search(strategy, toy, tmp_path / "b", seed=3) == first
    assert search(strategy, toy, tmp_path / "c", seed=4) != first


class Killed(BaseException):
    """Stands for a kill: nothing may handle it."""


@every_strategy
@pytest.mark.parametrize("survived", [0, 1, 9, 10, 13, 21])
def test_a_killed_search_goes_on_to_the_identical_result(strategy, survived, toy, tmp_path):
    whole = search(strategy, toy, tmp_path / "whole")

    toy.evaluated.clear()

    def kill(_):
        if len(toy.evaluated) == survived:
            raise Killed

    toy.before_evaluation = kill
    with pytest.raises(Killed):
        search(strategy, toy, tmp_path / "cut")
    toy.before_evaluation = lambda _: None
    assert search(strategy, toy, tmp_path / "cut") == whole
    assert len(toy.evaluated) == 22  # nothing was evaluated twice
    files = [tmp_path / name / FILE_NAME for name in ("whole", "cut")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_finished_search_evaluates_nothing_more(toy, tmp_path):
    result = search(MSUNAS, toy, tmp_path)
    toy.evaluated.clear()
    assert search(MSUNAS, toy, tmp_path) == result
    assert toy.evaluated == []


def test_other_settings_do_not_go_on_from_the_same_folder(toy, tmp_path):
    search(MSUNAS, toy, tmp_path)
    with pytest.raises(ValueError, match="belongs to another search"):
        search(replace(MSUNAS, batch=5), toy, tmp_path)


@every_strategy
def test_a_failed_evaluation_shifts_no_score(strategy, toy, tmp_path):
    failing = itertools.count()

    def fail_every_third(_):
        if next(failing) % 3 == 2:
            raise RuntimeError("out of memory")

    toy.before_evaluation = fail_every_third
    result = search(strategy, toy, tmp_path)
    assert len(result.archive) == 22 - 2  # of the seven that failed, five did not at the second try
    assert result.failures == {"RuntimeError: out of memory": 2}
    for candidate in result.archive:
        genes = np.array(candidate.architecture.genes)
        assert candidate.accuracy == pytest.approx(1 - toy.true_error(genes))
    text = (tmp_path / FILE_NAME).read_text()
    assert text.count("RuntimeError: out of memory") == 7 + 2


@every_strategy
def test_all_evaluations_failing_is_an_error_with_the_reason(strategy, toy, tmp_path):
    def fail(_):
        raise RuntimeError("out of memory")

    toy.before_evaluation = fail
    with pytest.raises(SearchError, match=r"all \d+ evaluations failed.*out of memory"):
        search(strategy, toy, tmp_path)
    assert toy.evaluated == []

    toy.before_evaluation = lambda _: None  # the cause is gone, and the same command is given again
    assert search(strategy, toy, tmp_path).failures == {}
    assert len(toy.evaluated) == len(set(toy.evaluated)) == 22


class Flaw(Exception):
    """One of the ways in which an evaluation fails here."""


@every_strategy
@settings(max_examples=15, deadline=None)
@given(
    share=st.sampled_from([0.0, 0.3, 0.8, 1.0]),
    kills=st.lists(st.integers(1, 40), max_size=3),
    seed=st.integers(0, 10**6),
)
def test_what_fails_at_random_is_told_and_tried_again_however_often_the_search_is_killed(
    strategy, share, kills, seed
):
    """Some networks fail always, each time for the same reason; others at random, at first."""
    rng = np.random.default_rng(seed)

    def hopeless(genes):
        return sum(genes) % 4 == 3 and sum(genes) < 9

    with tempfile.TemporaryDirectory() as folder:
        for kill in [*kills, None]:
            toy, calls = Toy(), itertools.count()

            def disturb(genes, kill=kill, calls=calls):
                if kill is not None and next(calls) == kill:
                    raise Killed
                if hopeless(genes):
                    raise Flaw(f"size {sum(genes)}\nand a second line")
                if kill is not None and rng.random() < share:
                    raise MemoryError("short today")

            toy.before_evaluation = disturb
            try:
                result = search(strategy, toy, Path(folder))
            except (Killed, SearchError):
                assert kill is not None
    for candidate in result.archive:
        genes = np.array(candidate.architecture.genes)
        assert candidate.accuracy == pytest.approx(1 - toy.true_error(genes))
    genes = [c.architecture.genes for c in result.archive]
    assert len(genes) == len(set(genes))
    assert not any(map(hopeless, genes))
    # The last run met no passing trouble: nothing that failed before it counts against a network.
    assert all(reason.startswith("Flaw: size ") for reason in result.failures)
    assert len(genes) + sum(result.failures.values()) == 22


@every_strategy
def test_a_search_that_is_infeasible_says_what_it_could_not_evaluate(strategy, toy, tmp_path):
    def fail_where_small(genes):
        if sum(genes) in (1, 2):
            raise RuntimeError("no kernel")

    toy.before_evaluation = fail_where_small
    nothing = replace(LIMITS, parameters_millions=1e-6)
    if isinstance(strategy.constraint, BoardConstraint):
        nothing = replace(strategy.constraint, sram_bytes=1)
    with pytest.raises(Infeasible) as caught:
        search(replace(strategy, constraint=nothing), toy, tmp_path)
    assert set(caught.value.failures) <= {"RuntimeError: no kernel"}
    assert caught.value.evaluations + sum(caught.value.failures.values()) == 22


@pytest.mark.parametrize("strategy", [MSUNAS, PAPER, RANDOM], ids=["msunas", "cnas", "random"])
def test_infeasible_says_by_how_much_the_closest_misses(strategy, toy, tmp_path):
    # The smallest network has 100,000 parameters and 1,000,000 MACs.
    tight = replace(strategy.constraint, parameters_millions=0.08, macs_millions=0.9)
    with pytest.raises(Infeasible) as caught:
        search(replace(strategy, constraint=tight), toy, tmp_path)
    assert caught.value.closest.architecture.genes == (0, 0, 0, 0, 0, 0)
    assert {limit.name: limit.used - limit.allowed for limit in caught.value.exceeded} == {
        "parameters": 20_000,
        "macs": 100_000,
    }
    assert "parameters by 20,000 (100,000 of 80,000)" in str(caught.value)
    assert caught.value.evaluations == 22


def test_infeasible_on_a_board_names_the_memory(toy, tmp_path):
    board = BoardConstraint(flash_bytes=10**6, sram_bytes=15_000, cnas=LIMITS)
    with pytest.raises(Infeasible, match=r"sram_bytes by 5,000 \(20,000 of 15,000\)"):
        search(replace(BOARD, constraint=board), toy, tmp_path)


def test_finds_the_best_feasible_network_of_a_small_space(toy, tmp_path):
    result = search(replace(MSUNAS, iterations=6, population=20, generations=10), toy, tmp_path)
    everything = [
        toy.canonical(np.array(genes))
        for genes in itertools.product(*(range(bound + 1) for bound in toy.upper))
    ]
    best = min(toy.true_error(g) for g in everything if not LIMITS.violation(toy.footprint(g)))
    assert 1 - result.chosen.accuracy == pytest.approx(best)


def test_ends_when_the_space_holds_no_further_network(toy, tmp_path):
    toy.upper = np.array([0, 2, 2, 0, 0, 0])
    result = search(replace(MSUNAS, doe=4, iterations=10), toy, tmp_path)
    assert len(result.archive) == 9


def test_stops_early_when_the_front_does_not_grow(toy, tmp_path):
    patient = replace(MSUNAS, iterations=30, min_growth=0.5, patience=2)
    assert len(search(patient, toy, tmp_path).archive) == 10 + 2 * 4


def test_does_not_stop_early_as_long_as_nothing_is_feasible(toy, tmp_path):
    nothing = replace(LIMITS, macs_millions=0.5)
    patient = replace(MSUNAS, constraint=nothing, iterations=5, patience=1)
    with pytest.raises(Infeasible) as caught:
        search(patient, toy, tmp_path)
    assert caught.value.evaluations == 10 + 5 * 4


def test_penalties_do_not_blind_the_early_stop(toy, tmp_path):
    # With 1e10 in the hypervolume no growth of the feasible front would be seen.
    stopped = replace(PAPER, iterations=30, min_growth=1e-6, patience=2)
    result = search(stopped, toy, tmp_path)
    assert 18 < len(result.archive) < 130


def test_knee_chooses_within_the_front(toy, tmp_path):
    accurate = search(MSUNAS, toy, tmp_path / "a")
    knee = search(replace(MSUNAS, choice="knee"), toy, tmp_path / "b")
    assert knee.front == accurate.front
    assert knee.chosen in knee.front
    cost = LIMITS.objective
    assert cost(knee.chosen.footprint) < cost(accurate.chosen.footprint)


def test_domination_spends_the_iterations_on_feasible_networks(toy, tmp_path):
    tight = replace(LIMITS, parameters_millions=0.5)
    result = search(replace(MSUNAS, constraint=tight), toy, tmp_path)
    within = [tight.violation(c.footprint) == 0 for c in result.archive[10:]]
    assert all(within)


@pytest.mark.parametrize(
    ("end", "genes"), [("smallest", (0, 0, 0, 0, 0, 0)), ("largest", (3, 2, 2, 2, 2, 2))]
)
def test_an_anchor_is_evaluated_alone(end, genes, toy, tmp_path):
    result = search(
        Anchor(CnasConstraint(macs_millions=400, parameters_millions=40), end), toy, tmp_path
    )
    assert [candidate.architecture.genes for candidate in result.archive] == [genes]
    assert result.chosen.architecture.genes == genes


def test_an_anchor_beyond_the_limits_is_infeasible(toy, tmp_path):
    with pytest.raises(Infeasible, match="none of the 1 networks evaluated keeps the limits"):
        search(Anchor(LIMITS, "largest"), toy, tmp_path)


def test_a_design_within_limits_spends_nothing_on_what_nobody_may_choose(toy, tmp_path):
    tight = replace(LIMITS, parameters_millions=0.5)
    within = replace(MSUNAS, constraint=tight, design="within_limits")
    result = search(within, toy, tmp_path)
    assert all(tight.violation(candidate.footprint) == 0 for candidate in result.archive)
    assert len(result.archive) > MSUNAS.doe


def test_cnas_leaves_limits_to_the_penalty_where_there_is_one():
    assert (PAPER.domination, BOARD.domination, MSUNAS.domination) == (False, True, True)


@pytest.mark.parametrize(
    ("strategy", "arguments", "message"),
    [
        (MSUNAS, {"doe": 1}, r"search\.doe: must be at least 2; got 1"),
        (MSUNAS, {"iterations": -1}, r"search\.iterations"),
        (MSUNAS, {"batch": 0}, r"search\.batch"),
        (MSUNAS, {"patience": 0}, r"search\.patience"),
        (MSUNAS, {"min_growth": float("nan")}, r"search\.min_growth"),
        (MSUNAS, {"population": 3}, r"search\.population"),
        (MSUNAS, {"generations": 0}, r"search\.generations"),
        (MSUNAS, {"choice": "best"}, r"search\.choice: .* most_accurate, knee; got 'best'"),
        (MSUNAS, {"design": "best"}, r"search\.design: .* uniform, within_limits; got 'best'"),
        (MSUNAS, {"images": 0}, r"search\.images: must be at least 1, or null for all; got 0"),
        (RANDOM, {"images": -5}, r"search\.images"),
        (Anchor(LIMITS), {"end": "middle"}, r"search\.end: .* smallest, largest; got 'middle'"),
        (RANDOM, {"evaluations": 1}, r"search\.evaluations"),
        (RANDOM, {"choice": "best"}, r"search\.choice"),
    ],
)
def test_refuses_what_is_out_of_range(strategy, arguments, message):
    with pytest.raises(ValueError, match=message):
        replace(strategy, **arguments)
