"""A training's state after a power cut: whole, or not taken for whole."""

from __future__ import annotations

import copy
import logging
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn

from tests.support.damage import damages
from tinyml_nas.training.optimizer import Average, Optimizer
from tinyml_nas.training.recipes import SupernetRecipe
from tinyml_nas.training.state import PLATEAU_STATE, STATE, Log, TrainingState

RECIPE = SupernetRecipe(epochs=9, decay_epochs=3, average_steps=4)
many = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def state_of(recipe: SupernetRecipe = RECIPE) -> TrainingState:
    """Of a network that took one step."""
    torch.manual_seed(3)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
    optimizer, average = Optimizer(model, recipe), Average(model, recipe.average_steps)
    model(torch.randn(2, 3, 4, 4)).sum().backward()
    optimizer.step(0.1)
    average.update(1)
    return TrainingState(model, optimizer, average, recipe, seed=5)


def weights(state: TrainingState) -> dict[str, torch.Tensor]:
    return copy.deepcopy(state.model.state_dict())


def changed(state: TrainingState) -> None:
    with torch.no_grad():
        for value in state.model.parameters():
            value.mul_(2)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The bytes of both files of a run that is past its plateau."""
    folder = tmp_path_factory.mktemp("state")
    state = state_of()
    state.save(folder / PLATEAU_STATE, Log(step=6), at_peak=True)
    state.save(
        folder / STATE, Log(step=8, curve=[{"step": 4, "loss": 1.5, "seconds": 2}]), at_peak=False
    )
    return {name: (folder / name).read_bytes() for name in (STATE, PLATEAU_STATE)}


def test_what_is_whole_is_taken_up(written, tmp_path):
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
    state = state_of()
    before = weights(state)
    changed(state)
    log = state.resume(tmp_path, plateau_steps=6)
    assert log == Log(step=8, curve=[{"step": 4, "loss": 1.5, "seconds": 2}])
    assert all(torch.equal(before[name], value) for name, value in weights(state).items())
    assert state_of().resume(tmp_path / "empty", plateau_steps=6) is None


@many
@given(st.data(), st.sampled_from([STATE, PLATEAU_STATE]))
def test_a_damaged_file_is_a_warning_and_a_fresh_start(written, tmp_path, caplog, data, name):
    damaged = data.draw(damages(written[name]))
    assume(damaged != written[name])
    for file, content in {**written, name: damaged}.items():
        (tmp_path / file).write_bytes(content)
    state = state_of()
    before = weights(state)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert state.resume(tmp_path, plateau_steps=6) is None
    (record,) = caplog.records
    assert f"{tmp_path / name}: damaged" in record.message
    assert "starts anew" in record.message
    assert all(torch.equal(before[key], value) for key, value in weights(state).items())


def test_a_missing_plateau_is_made_again(written, tmp_path):
    (tmp_path / STATE).write_bytes(written[STATE])
    assert state_of().resume(tmp_path, plateau_steps=6) is None
    assert state_of().resume(tmp_path, plateau_steps=8) is not None  # it is not due yet


@many
@given(st.data())
def test_a_file_of_the_user_that_is_damaged_is_refused(written, tmp_path, data):
    damaged = data.draw(damages(written[PLATEAU_STATE]))
    assume(damaged != written[PLATEAU_STATE])
    (tmp_path / "mine.safetensors").write_bytes(damaged)
    with pytest.raises(ValueError, match=r"^recipe\.extends: .*mine\.safetensors: damaged.*give"):
        state_of().extend(tmp_path / "mine.safetensors", plateau_steps=6)


def test_a_file_of_the_user_that_is_whole_is_extended(written, tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(written[PLATEAU_STATE])
    longer = state_of(replace(RECIPE, epochs=12))
    assert longer.extend(tmp_path / "mine.safetensors", plateau_steps=9).step == 6
