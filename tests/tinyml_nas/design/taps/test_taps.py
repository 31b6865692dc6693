"""How many features taps get: as told, or the most that leave Ω within its limits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from codegen.boards.board import load
from codegen.learners.online_lda import OnlineLda
from codegen.learners.tybox import Tybox
from tinyml_nas.design.limits import OmegaLimits
from tinyml_nas.design.memory.thesis import ThesisMemory
from tinyml_nas.design.taps.auto import AutoTaps, candidates_of
from tinyml_nas.design.taps.blocks import STEP, BlockTaps
from tinyml_nas.design.taps.none import NoTaps

LEARNERS = {"online_lda": OnlineLda(), "tybox": Tybox(0.01)}


def limits_of(learner: str, budget_bytes: int) -> OmegaLimits:
    return OmegaLimits(load("nucleo_1mb"), ThesisMemory(budget_bytes), LEARNERS[learner])


@pytest.mark.parametrize("budget_bytes", [25_000, 28_000, 31_234])
def test_a_head_of_no_samples_gets_the_most_features_that_fit(small_spec, budget_bytes):
    limits = limits_of("online_lda", budget_bytes)
    spec = BlockTaps(4).tapped(small_spec, limits)
    assert spec.taps == (1, 2, 3, 4)
    assert spec.tapped_channels == 12 + 12 + 16 + 16
    fits = [
        folded
        for folded in (*range(1, 56, STEP), 56)
        if not limits.lacks(replace(spec, folded=folded))
    ]
    assert 1 < len(fits) < 15
    assert spec.folded == max(fits)


def test_with_room_for_all_nothing_is_folded_and_with_none_it_is_as_small_as_can_be(small_spec):
    assert BlockTaps(4).tapped(small_spec, limits_of("online_lda", 800_000)).folded == 56
    small = BlockTaps(4).tapped(small_spec, limits_of("online_lda", 1_000))
    assert small == BlockTaps(4).least(small_spec)
    assert small.folded == 1


def test_samples_of_a_buffer_stay_as_large_as_they_were(small_spec):
    limits = limits_of("tybox", 800_000)
    spec = BlockTaps(4).tapped(small_spec, limits)
    assert spec.head_features == small_spec.features == 40


def test_features_that_were_asked_for_are_given_or_all_that_there_are(small_spec):
    limits = limits_of("tybox", 800_000)
    assert BlockTaps(4, features=30).tapped(small_spec, limits).head_features == 30
    assert BlockTaps(4, features=300).tapped(small_spec, limits).head_features == 66
    assert BlockTaps(9, features=300).least(small_spec).taps == (0, 1, 2, 3, 4)


def test_a_network_of_single_pixels_is_left_alone(small_spec):
    tiny = replace(small_spec, resolution=2)
    assert tiny.tappable == ()
    assert BlockTaps().tapped(tiny, limits_of("tybox", 800_000)) == tiny
    assert (
        NoTaps().tapped(small_spec, limits_of("tybox", 1))
        == small_spec
        == NoTaps().least(small_spec)
    )


def test_what_cannot_be_is_refused_by_its_key(sample):
    with pytest.raises(ValueError, match=r"taps\.blocks: must be from 1 to 10; got 11"):
        BlockTaps(11)
    with pytest.raises(ValueError, match=r"taps\.features: must be at least 1, or null; got 0"):
        BlockTaps(features=0)
    for taps in (
        BlockTaps(features=10),
        AutoTaps({"none": NoTaps(), "ten": BlockTaps(features=10)}),
    ):
        with pytest.raises(
            ValueError, match=r"taps\.features: must be more than the 10 logits .* got 10"
        ):
            taps.check(sample)
    BlockTaps(features=11).check(sample)
    with pytest.raises(ValueError, match=r"taps\.candidates: must be at least one way"):
        AutoTaps({})


def test_the_least_of_several_is_what_is_counted_on(small_spec):
    both = {"none": NoTaps(), "few": BlockTaps(features=20), "many": BlockTaps(features=60)}
    assert AutoTaps(both).least(small_spec).head_features == 20
    assert candidates_of(AutoTaps(both)) == both
    assert list(candidates_of(BlockTaps())) == ["blocks"]
    assert "taps" not in json.loads(NoTaps().least(small_spec).to_json())
