"""The search sees Ω as it will be deployed: pruned, in the quantizer's type, with a buffer of use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.pruning import pruned, share_kept
from tests.tinyml_nas.pipeline.test_bounds import spec_of, study_of
from tests.tinyml_nas.pruning.conftest import network_of
from tinyml_nas.design.memory.thesis import ThesisMemory
from tinyml_nas.design.omega import size_of_shapes
from tinyml_nas.network.footprint import footprint
from tinyml_nas.network.module import spec_of as spec_in
from tinyml_nas.pipeline import bounds
from tinyml_nas.pipeline.expected import Expected
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.pruning.none import NoPruning


@pytest.mark.parametrize("family", ["mbv3_mcu", "lite0"])
def test_memory_is_that_of_the_pruned_network_and_counts_are_those_of_the_trained(family):
    network, board = network_of(family, 1), study_of().device
    pruning = L1(0.4)
    cost = Expected(pruning, "int8", 50).cost(spec_in(network), board)
    smaller = pruned(pruning, network)
    assert share_kept(network, smaller) <= 0.4
    alone = footprint(spec_in(smaller), board)
    whole = footprint(spec_in(network), board)
    assert cost.flash_bytes == alone.flash_bytes < whole.flash_bytes
    sample = spec_in(smaller).features + 1
    assert cost.sram_bytes == alone.sram_bytes + 49 * sample
    assert cost.omega_bytes == alone.omega_bytes + 49 * sample
    assert (cost.parameters, cost.macs, cost.activations) == (
        whole.parameters,
        whole.macs,
        whole.activations,
    )


def test_without_quantization_omega_is_in_float():
    study = study_of("pruning=none", "quantizer=none")
    spec = spec_of(study, 3)
    cost = bounds.searched(study).cost(spec, study.device)
    size = size_of_shapes(
        spec, study.learner, study.device, ThesisMemory(10**9, 1), dtype="float32"
    )
    assert cost.omega_bytes == size.reports["thesis"].used("ram")
    assert cost.omega_bytes > 3 * footprint(spec, study.device).omega_bytes
    float_room = bounds.room(replace(study, pruning=L1(None)))
    assert float_room is not None
    assert float_room.lacks(spec) == {
        "memory.budget_bytes": pytest.approx(cost.omega_bytes, rel=0.2)
    }


def test_a_ratio_is_expected_as_it_is_and_what_needs_none_as_nothing():
    study = study_of("pruning=none")
    ratio = replace(study, pruning=L1(0.33))
    assert bounds.searched(ratio) == Expected(L1(0.33), "int8", 128)
    fits = replace(study, pruning=L1(None))
    expected = bounds.searched(fits)
    for seed in range(3):
        assert expected.deployed(spec_of(study, seed)) == spec_of(study, seed)
    assert expected.buffer_samples == 128
    assert not expected.pruning.asks_board


def test_where_nothing_fits_whole_all_are_pruned_by_what_the_smallest_needs():
    study = study_of("pruning=none")
    smallest = study.supernet.spec(study.supernet.smallest(), 10)
    tight = round(0.7 * footprint(smallest, study.device).omega_bytes)
    study = replace(study, pruning=L1(None), memory=ThesisMemory(tight))
    expected = bounds.searched(study)
    assert 0.5 < expected.pruning.keep_ratio < 0.8
    assert not bounds.room(study).lacks(expected.deployed(smallest))
    assert expected.cost(smallest, study.device).omega_bytes <= tight
    assert bounds.of_search(study) == ()
    larger = study.supernet.spec(study.supernet.largest(), 10)
    assert expected.cost(larger, study.device).omega_bytes > tight


def test_a_sweep_over_prunings_can_share_one_search():
    study = study_of("pruning=none")
    constraint = replace(study.search.constraint, as_deployed=False)
    search = replace(study.search, constraint=constraint)
    prunings = [NoPruning(), L1(0.33), L1(None)]
    expected = {bounds.searched(replace(study, search=search, pruning=p)) for p in prunings}
    assert expected == {Expected(NoPruning(), "int8", 1)}


def test_a_learner_that_keeps_one_sample_is_expected_to_keep_one():
    study = study_of("pruning=none")
    study = replace(study, pruning=L1(None), learner=study.baseline)
    assert bounds.searched(study).buffer_samples == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_the_constraint_lets_in_what_pruning_makes_fit(seed):
    """What is too large whole, by the budget, is no longer where a third of it is left."""
    study = study_of("pruning=none")
    rng = np.random.default_rng(seed)
    spec = study.supernet.spec(study.supernet.sample(rng), 10)
    budget = round(0.6 * footprint(spec, study.device).omega_bytes)
    constraint = replace(study.search.constraint, omega_bytes=budget)
    names = {}
    for pruning in (NoPruning(), L1(0.33)):
        cost = Expected(pruning, "int8", 1).cost(spec, study.device)
        names[pruning] = {limit.name for limit in constraint.exceeded(cost)}
    assert names[NoPruning()] - names[L1(0.33)] == {"omega_bytes"}


@pytest.mark.parametrize("supernet", ["lite0", "thesis"])
def test_the_baseline_of_table_1_is_one_for_all_rows_and_may_be_searched(supernet):
    family = [f"supernet={supernet}", f"search={supernet}", f"finetune=table1_{supernet}"]
    study = study_of("experiment=table1", "data.root=nowhere", *family)
    assert bounds.searched(study) == Expected(NoPruning(), "int8", 1)
    assert bounds.of_space(study) is None
    assert bounds.of_search(study) == ()
