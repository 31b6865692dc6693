"""Muon's step, and the average of the weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tinyml_nas.training.allocator import keep_freed_memory
from tinyml_nas.training.base import Recipe
from tinyml_nas.training.optimizer import Average, Optimizer, orthogonalised


@pytest.mark.parametrize("shape", [(8, 8), (6, 40), (40, 6), (1, 9)])
def test_a_step_keeps_the_gradients_directions_and_evens_their_lengths(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape) @ torch.diag(torch.logspace(-1, 1, shape[1]))
    step = orthogonalised(matrix) / max(1, shape[0] / shape[1]) ** 0.5
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    in_its_own_basis = left.T @ step @ right.T
    lengths = in_its_own_basis.diagonal()
    assert torch.all((lengths > 0.4) & (lengths < 1.3))
    off = in_its_own_basis - torch.diag(lengths)
    assert float(off.abs().max()) < 1e-3


def test_muon_takes_the_matrices_of_convolutions_and_sgd_the_rest():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=8), nn.BatchNorm2d(8), nn.Linear(8, 2)
    )
    muon, sgd = Optimizer(model, Recipe(epochs=1, optimizer="muon")).parts
    sizes = [sum(len(group["params"]) for group in part.param_groups) for part in (muon, sgd)]
    assert muon.param_groups[0]["params"][0] is model[0].weight
    assert sizes == [1, 7]
    undecayed = [g for g in sgd.param_groups if g["weight_decay"] == 0]
    assert {p.dim() for group in undecayed for p in group["params"]} == {1}


def test_adamw_takes_every_weight_and_decays_the_matrices():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 2))
    (adamw,) = Optimizer(model, Recipe(epochs=1, optimizer="adamw", weight_decay=0.5)).parts
    assert isinstance(adamw, torch.optim.AdamW)
    assert [len(group["params"]) for group in adamw.param_groups] == [2, 4]
    assert [group["weight_decay"] for group in adamw.param_groups] == [0.5, 0.0]


@pytest.mark.parametrize("kind", ["sgd", "muon", "adamw"])
def test_the_rate_scales_every_step(kind):
    moved = []
    for rate in (1.0, 0.5):
        model = nn.Conv2d(3, 4, 1)
        nn.init.constant_(model.weight, 0.5)
        nn.init.zeros_(model.bias)
        optimizer = Optimizer(model, Recipe(epochs=1, optimizer=kind, weight_decay=0))
        model(torch.ones(1, 3, 2, 2)).sum().backward()
        optimizer.step(rate)
        moved.append((model.weight - 0.5).detach())
    torch.testing.assert_close(moved[0], 2 * moved[1])
    assert float(moved[0].abs().min()) > 0


def test_the_average_reaches_back_as_far_as_it_says():
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    average = Average(model, steps=100)
    nn.init.ones_(model.weight)
    for step in range(10_000, 10_100):
        average.update(step)
    average.apply()
    assert model.weight.item() == pytest.approx(1 - 0.99**100, rel=1e-4)


def test_no_average_leaves_the_model():
    model = nn.Linear(1, 1)
    before = model.weight.clone()
    average = Average(model, steps=0)
    average.update(1)
    average.apply()
    assert torch.equal(model.weight, before)
    assert not average.state()


def test_the_allocator_takes_its_orders_or_is_not_glibcs():
    import platform

    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
