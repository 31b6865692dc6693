import numpy as np

from tinyml_nas.search.selection import select, spread

NOTHING = np.empty(0)


def test_spread_fills_the_widest_gap_first():
    positions = np.array([0.0, 1.0, 5.0, 9.0, 10.0])
    assert spread(positions, np.array([0.0, 10.0]), 1).tolist() == [2]
    assert sorted(spread(positions, np.array([5.0]), 2).tolist()) == [0, 4]


def test_spread_is_even():
    chosen = spread(np.arange(101.0), np.array([0.0, 100.0]), 3)
    assert sorted(chosen.tolist()) == [25, 50, 75]


def test_spread_takes_each_position_once_even_where_they_coincide():
    assert sorted(spread(np.zeros(3), np.zeros(1), 3).tolist()) == [0, 1, 2]
    assert len(spread(np.arange(2.0), NOTHING, 5)) == 2


def test_select_prefers_better_fronts():
    points = np.array([[0.5, 5.0], [0.1, 1.0], [0.2, 0.5], [0.6, 9.0]])
    chosen = select(points, np.zeros(4), NOTHING, 10.0, 2)
    assert sorted(chosen.tolist()) == [1, 2]


def test_select_spreads_the_next_front_beside_the_first():
    first = [[0.1, 1.0]]
    second = [[0.5, 1.5], [0.4, 2.0], [0.3, 9.0]]
    chosen = select(np.array(first + second), np.zeros(4), NOTHING, 10.0, 2)
    assert chosen.tolist() == [0, 3]


def test_select_takes_what_violates_last_and_the_least_first():
    points = np.array([[0.0, 1.0], [0.0, 2.0], [0.9, 9.0]])
    chosen = select(points, np.array([0.5, 0.1, 0.0]), NOTHING, 10.0, 3)
    assert chosen.tolist() == [2, 1, 0]


def test_penalties_do_not_draw_the_evaluations():
    feasible = [[0.5 - 0.02 * i, float(i)] for i in range(10)]
    penalised = [[0.2 - 0.02 * i, 1e9 * (i + 1)] for i in range(8)]
    chosen = select(np.array(feasible + penalised), np.zeros(18), NOTHING, 10.0, 6)
    assert sum(index >= 10 for index in chosen) <= 1
