import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_nas.search.predictors.rbf import RbfPredictor


def different(rng, count, genes):
    points = np.unique(rng.integers(0, 3, size=(count, genes)), axis=0)
    return rng.permutation(points) / 2.0


def kendall_tau(a, b):
    i, j = np.triu_indices(len(a), k=1)
    return np.mean(np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_interpolates_whatever_the_number_of_points(count, genes, seed):
    rng = np.random.default_rng(seed)
    points = different(rng, count, genes)
    errors = rng.random(len(points))
    predict = RbfPredictor().fit(points, errors)
    np.testing.assert_allclose(predict(points), errors, atol=1e-6)
    assert np.all(np.isfinite(predict(rng.integers(0, 3, size=(20, genes)) / 2.0)))


def test_the_linear_tail_extrapolates_a_linear_error():
    rng = np.random.default_rng(0)
    points = different(rng, 60, 6)
    slope = rng.random(6)
    predict = RbfPredictor().fit(points, 0.9 - points @ slope)
    queries = rng.random((10, 6)) * 3
    np.testing.assert_allclose(predict(queries), 0.9 - queries @ slope, atol=1e-8)


def test_a_gene_that_never_varies_is_no_obstacle():
    points = different(np.random.default_rng(0), 60, 6)
    points[:, 2] = 0.5
    points = np.unique(points, axis=0)
    predict = RbfPredictor().fit(points, points[:, 0])
    np.testing.assert_allclose(predict(points), points[:, 0], atol=1e-8)


def test_ranks_a_smooth_error_on_new_networks():
    rng = np.random.default_rng(1)
    points = different(rng, 200, 10)
    errors = 0.1 + np.exp(-0.5 * points @ np.linspace(0.2, 1.0, 10))
    predict = RbfPredictor().fit(points[:100], errors[:100])
    assert kendall_tau(predict(points[100:]), errors[100:]) > 0.95


def test_ranks_with_about_as_many_points_as_genes():
    # A linear tail of as many coefficients as points would rank by noise: τ 0.24 here.
    taus = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        points = rng.integers(0, 3, size=(300, 36)) / 2.0
        errors = np.exp(-0.2 * points @ np.linspace(0.2, 1.0, 36)) + rng.normal(0, 0.01, 300)
        predict = RbfPredictor().fit(points[:38], errors[:38])
        taus.append(kendall_tau(predict(points[100:]), errors[100:]))
    assert np.mean(taus) > 0.45
