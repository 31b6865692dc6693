"""The closed form against leaving each row out by hand."""

from __future__ import annotations

import pytest
import torch

from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.supernet import head
from tinyml_nas.supernet.head import fit_head, ridge
from tinyml_nas.training.loop import accuracy


def test_left_out_predictions_are_those_of_a_fit_without_the_row(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(30, 4, generator=generator, dtype=torch.float64)
    y = torch.randn(30, 2, generator=generator, dtype=torch.float64)
    monkeypatch.setattr(head, "PENALTIES", (0.3,))
    weights, centre, left_out = ridge(x, y)

    def solve(rows, targets, centre, level, penalty):
        a = rows - centre
        return torch.linalg.solve(a.T @ a + penalty * torch.eye(4), a.T @ (targets - level))

    penalty = 0.3 * float((x - x.mean(0)).square().sum() / 4)
    torch.testing.assert_close(weights, solve(x, y, x.mean(0), y.mean(0), penalty))
    torch.testing.assert_close(centre, x.mean(0))
    for row in (0, 17):
        others = torch.arange(30) != row
        mean, level = x[others].mean(0), y[others].mean(0)
        without = solve(x[others], y[others], mean, level, penalty)
        expected = level + (x[row] - mean) @ without
        torch.testing.assert_close(left_out[row], expected)


def test_a_fitted_head_predicts_better_than_chance(small_spec, make_network, sample):
    network = make_network(small_spec)
    images = sample.split("train")[:600]
    fit_head(network, images)
    assert accuracy(network, sample.split("validation")[:300]) > 0.2


def test_more_features_than_images_is_no_trouble(small_spec, sample):
    torch.manual_seed(0)
    network = StaticNetwork(small_spec).eval()
    fit_head(network, sample.split("train")[:20])
    assert bool(torch.isfinite(network.classifier.weight).all())


def test_the_penalty_is_the_one_that_predicts_best(monkeypatch):
    """With labels that are noise, the strongest."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 30, generator=generator, dtype=torch.float64)
    y = torch.randn(40, 2, generator=generator, dtype=torch.float64)
    chosen, _, _ = ridge(x, y)
    monkeypatch.setattr(head, "PENALTIES", (max(head.PENALTIES),))
    strongest, _, _ = ridge(x, y)
    assert chosen == pytest.approx(strongest)
