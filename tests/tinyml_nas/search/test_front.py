from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinyml_nas.search.front import fronts, hypervolume, knee

POINTS = arrays(np.float64, st.tuples(st.integers(1, 25), st.just(2)), elements=st.integers(0, 9))


def dominates(a, b):
    return bool(np.all(a <= b) and np.any(a < b))


@settings(deadline=None, max_examples=50)
@given(POINTS)
def test_fronts_partition_and_the_first_is_the_undominated(points):
    sorted_fronts = fronts(points)
    assert sorted(np.concatenate(sorted_fronts).tolist()) == list(range(len(points)))
    undominated = [
        i for i, point in enumerate(points) if not any(dominates(q, point) for q in points)
    ]
    assert sorted_fronts[0].tolist() == undominated


@settings(deadline=None, max_examples=50)
@given(POINTS)
def test_each_later_point_is_dominated_by_the_front_before(points):
    sorted_fronts = fronts(points)
    for before, front in pairwise(sorted_fronts):
        for i in front:
            assert any(dominates(points[j], points[i]) for j in before)


def test_no_points_have_no_fronts():
    assert fronts(np.empty((0, 2))) == []


def test_hypervolume_is_a_share_of_the_box():
    points = np.array([[0.2, 4.0], [0.6, 2.0]])
    # 0.8 x 0.6 of the first, 0.4 x 0.2 more of the second.
    assert hypervolume(points, (1.0, 10.0)) == pytest.approx(0.8 * 0.6 + 0.4 * 0.2)


def test_hypervolume_of_nothing_and_of_the_corner():
    assert hypervolume(np.empty((0, 2)), (1.0, 1.0)) == 0.0
    assert hypervolume(np.array([[0.0, 0.0]]), (0.5, 7.0)) == pytest.approx(1.0)


def test_points_beyond_the_reference_add_nothing():
    inside = np.array([[0.5, 5.0]])
    with_outside = np.array([[0.5, 5.0], [0.1, 10.1], [0.1, 1e10]])
    assert hypervolume(with_outside, (1.0, 10.0)) == hypervolume(inside, (1.0, 10.0))


def test_knee_is_the_sharpest_bend():
    front = np.array([[0.9, 1.0], [0.3, 2.0], [0.2, 6.0], [0.1, 10.0]])
    assert knee(front) == 1


@pytest.mark.parametrize(
    "front",
    [
        np.array([[0.1, 9.0]]),
        np.array([[0.5, 1.0], [0.1, 9.0]])[::-1],
        np.array([[0.1, 10.0], [0.4, 8.0], [0.5, 1.0]]),
    ],
    ids=["one", "two", "bulge"],
)
def test_a_front_without_a_bend_gives_its_most_accurate(front):
    assert knee(front) == 0
