import pytest

from tinyml_nas.search.base import Exceeded
from tinyml_nas.search.constraints.board import BoardConstraint
from tinyml_nas.search.constraints.cnas import CnasConstraint
from tinyml_nas.types import Footprint

BASELINE = Footprint(2_140_000, 6_850_000, 230_000, 2_200_000, 300_000, 2_500_000)


def test_phi_of_the_thesis_baseline_is_its_plain_sum():
    assert CnasConstraint().objective(BASELINE) == pytest.approx(2.14 + 0.23 + 6.85)


def test_phi_adds_alpha_for_each_million_beyond_each_limit():
    large = Footprint(2_300_000, 7_500_000, 500_000, 1, 1, 1)
    plain, beyond = 2.3 + 0.5 + 7.5, 0.1 + 0.2 + 0.5
    assert CnasConstraint().objective(large) == pytest.approx(plain + 1e10 * beyond)


def test_phi_weighs_the_penalty_with_its_term():
    constraint = CnasConstraint(parameters_weight=2.0, activations_weight=3.0, macs_weight=5.0)
    large = Footprint(2_300_000, 7_000_000, 400_000, 1, 1, 1)
    expected = 2 * (2.3 + 1e10 * 0.1) + 3 * (0.4 + 1e10 * 0.1) + 5 * 7
    assert constraint.objective(large) == pytest.approx(expected)


def test_a_network_on_the_limits_is_feasible_and_lies_on_the_reference():
    constraint = CnasConstraint(parameters_weight=2.0)
    on = Footprint(2_200_000, 7_000_000, 300_000, 1, 1, 1)
    assert constraint.violation(on) == 0
    assert constraint.exceeded(on) == ()
    assert constraint.objective(on) == pytest.approx(constraint.reference)
    assert constraint.reference == pytest.approx(2 * 2.2 + 0.3 + 7.0)


def test_one_beyond_a_limit_is_infeasible():
    over = Footprint(2_200_001, 7_000_000, 300_000, 1, 1, 1)
    assert CnasConstraint().exceeded(over) == (Exceeded("parameters", 2_200_001, 2_200_000),)
    assert CnasConstraint().violation(over) == pytest.approx(1 / 2_200_000)


def test_violation_sums_relative_excesses():
    large = Footprint(3_300_000, 14_000_000, 100_000, 1, 1, 1)
    assert CnasConstraint().violation(large) == pytest.approx(0.5 + 1.0)


def test_without_alpha_there_is_no_penalty():
    constraint = CnasConstraint(alpha=0.0)
    large = Footprint(5_000_000, 20_000_000, 1_000_000, 1, 1, 1)
    assert constraint.objective(large) == pytest.approx(26.0)
    assert (constraint.penalised, CnasConstraint().penalised) == (False, True)


def test_board_adds_its_memories_to_the_limits():
    board = BoardConstraint(flash_bytes=2_000_000, sram_bytes=200_000)
    large = Footprint(2_140_000, 14_000_000, 230_000, 3_000_000, 200_001, 3_200_000)
    assert board.exceeded(large) == (
        Exceeded("flash_bytes", 3_000_000, 2_000_000),
        Exceeded("sram_bytes", 200_001, 200_000),
        Exceeded("macs", 14_000_000, 7_000_000),
    )
    assert board.violation(large) == pytest.approx(0.5 + 1 / 200_000 + 1.0)
    assert board.objective(large) == pytest.approx(2.14 + 14.0 + 0.23)
    assert not board.penalised


def test_board_is_feasible_up_to_its_last_byte():
    board = BoardConstraint(flash_bytes=2_200_000, sram_bytes=300_000)
    assert board.violation(BASELINE) == 0


def test_board_limits_omega_where_asked_to():
    board = BoardConstraint(2_200_000, 300_000, omega_bytes=2_499_999)
    assert board.exceeded(BASELINE) == (Exceeded("omega_bytes", 2_500_000, 2_499_999),)
    assert BoardConstraint(2_200_000, 300_000, omega_bytes=2_500_000).violation(BASELINE) == 0


def test_exceeded_says_by_how_much():
    assert str(Exceeded("sram_bytes", 70_000, 65_536)) == "sram_bytes by 4,464 (70,000 of 65,536)"


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"macs_millions": 0.0}, "constraint.macs_millions"),
        ({"parameters_millions": float("nan")}, "constraint.parameters_millions"),
        ({"alpha": -1.0}, "constraint.alpha"),
        ({"macs_weight": -1.0}, "constraint.macs_weight"),
        (
            {"parameters_weight": 0.0, "activations_weight": 0.0, "macs_weight": 0.0},
            "parameters_weight, activations_weight and macs_weight",
        ),
    ],
)
def test_cnas_refuses_what_is_out_of_range(arguments, key):
    with pytest.raises(ValueError, match=key):
        CnasConstraint(**arguments)


def test_board_refuses_no_memory_and_a_penalty():
    with pytest.raises(ValueError, match=r"constraint\.flash_bytes: must be positive; got 0"):
        BoardConstraint(flash_bytes=0, sram_bytes=1)
    with pytest.raises(ValueError, match=r"constraint\.omega_bytes: must be positive; got -1"):
        BoardConstraint(flash_bytes=1, sram_bytes=1, omega_bytes=-1)
    with pytest.raises(ValueError, match=r"constraint\.cnas\.alpha: must be 0"):
        BoardConstraint(flash_bytes=1, sram_bytes=1, cnas=CnasConstraint())
