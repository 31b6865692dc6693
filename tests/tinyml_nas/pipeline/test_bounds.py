"""What is said to be sure before training is true of what comes of it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.boards.board import load, names
from tinyml_nas import config
from tinyml_nas.design.memory.thesis import ThesisMemory
from tinyml_nas.design.omega import size_of_shapes
from tinyml_nas.network.footprint import footprint
from tinyml_nas.pipeline import bounds
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.study import Study

SEEDS = st.integers(0, 2**32 - 1)


@cache
def study_of(*overrides: str) -> Study:
    config.register()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        return config.build(compose("config", [*overrides, "name=test"]), Path("out"))


def spec_of(study: Study, seed: int):
    genes = study.supernet.sample(np.random.default_rng(seed))
    return study.supernet.spec(genes, study.dataset.classes)


@pytest.mark.parametrize("memory", ["thesis", "mcu"])
@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(names()),
    flash=st.integers(150_000, 300_000),
    ram=st.integers(12_000, 40_000),
    budget=st.integers(50_000, 150_000),  # the smallest takes 105 kB
    seed=SEEDS,
)
def test_where_the_smallest_network_is_hopeless_so_is_every_other(
    memory, name, flash, ram, budget, seed
) -> None:
    study = study_of("pruning=none", f"memory={memory}")
    board = replace(load(name), flash_bytes=flash, ram_bytes=ram)
    constraint = replace(study.search.constraint, flash_bytes=flash, sram_bytes=ram)
    study = replace(study, device=board, search=replace(study.search, constraint=constraint))
    if memory == "thesis":
        study = replace(study, memory=ThesisMemory(budget))
    spec = spec_of(study, seed)
    if bounds.of_search(study):
        assert constraint.exceeded(footprint(spec, board))
    if bounds.of_space(study) is not None:
        assert bounds.of_trained(study, spec) is not None


def test_a_roomy_board_is_not_called_hopeless() -> None:
    for name in ("nucleo_f446re", "nucleo_1mb"):
        study = study_of(f"device={name}", "pruning=none")
        assert not bounds.of_search(study)
        assert bounds.of_space(study) is None


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_pruning_may_make_fit_what_does_not(seed: int) -> None:
    """So nothing is said of the space then, and of a network only after it is narrowed."""
    whole = study_of("pruning=none", "memory=thesis")
    spec = spec_of(whole, seed)
    needed = size_of_shapes(spec, whole.learner, whole.device, whole.memory).reports["thesis"]
    budget = ThesisMemory(needed.used("ram") - needed.parts["ram"]["buffer"])
    assert bounds.of_trained(replace(whole, memory=budget), spec) is not None
    pruned = replace(study_of("pruning=l1_0.33", "memory=thesis"), memory=budget)
    assert bounds.of_trained(pruned, spec) is None
    assert bounds.of_space(pruned) is None


def test_a_share_that_the_smallest_cannot_reach_says_nothing_of_the_others() -> None:
    assert bounds.of_space(replace(study_of(), pruning=L1(keep_ratio=0.001))) is None


def test_a_learner_that_keeps_one_sample_bounds_the_buffer() -> None:
    study = study_of()
    spec = study.supernet.spec(study.supernet.smallest(), study.dataset.classes)
    size = size_of_shapes(spec, study.baseline, study.device, study.memory)
    assert size.fits
    assert (size.program.bound, size.buffer_samples) == ("learner", 1)
    assert size_of_shapes(spec, study.learner, study.device, study.memory).buffer_samples > 1
