"""The thesis's equations 3-5, and its own figures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.ir import Tensor
from tinyml_nas.design.memory.tybox import TyboxMemory
from tinyml_nas.network.equations import activation_pair, parameters


def test_every_part_by_hand(make_graph, board) -> None:
    report = TyboxMemory().report(make_graph(), 10, board)
    fixed = {
        "extractor_weights": (27 * 8 + 8) + (8 * 186 + 186),
        "extractor_activations": 192 + 512,
        "head_weights": (186 * 10 + 10) * 4,
        "head_activations": 10 * 4,
    }
    samples = (830_000 - sum(fixed.values())) // 187
    assert report.parts == {"ram": {**fixed, "buffer": samples * 187}}
    assert (report.buffer_samples, report.sample_bytes) == (samples, 187)
    assert report.limits == {"ram": 830_000}
    assert report.fits


def test_a_float_extractor_takes_four_times_as_much(make_graph, board) -> None:
    report = TyboxMemory().report(make_graph(features=1_280, dtype="float32"), 10, board)
    assert report.sample_bytes == 5_124  # as the thesis's unquantized baseline
    parts = report.parts["ram"]
    assert parts["extractor_weights"] == 4 * (27 * 8 + 8 + 8 * 1_280 + 1_280)
    assert parts["extractor_activations"] == 4 * (8 + 1_280)
    assert parts["head_weights"] == 4 * (1_280 * 10 + 10)


def test_the_thesis_buffer_of_158_samples(make_graph, board) -> None:
    """186 features: 187 B a sample; about 29 kB, as Ω_801kB leaves of 830 kB, hold 158."""
    graph = make_graph()
    fixed = sum(TyboxMemory(max_buffer_samples=1).report(graph, 10, board).parts["ram"].values())
    fixed -= 187
    for left, samples in ((29_546, 158), (29_732, 158), (29_545, 157), (29_733, 159)):
        assert TyboxMemory(budget_bytes=fixed + left).report(graph, 10, board).buffer_samples == (
            samples
        )


def test_the_largest_pair_may_begin_with_the_image(make_graph) -> None:
    graph = make_graph(features=10)
    assert activation_pair(graph) == 192 + 512
    wide = replace(graph, tensors=(Tensor("image", (1, 800), "int8"), *graph.tensors[1:]))
    assert activation_pair(wide) == 800 + 512


def test_tables_and_axes_are_no_parameters(make_graph) -> None:
    assert parameters(make_graph(features=10)) == 27 * 8 + 8 + 8 * 10 + 10


def test_shared_weights_count_once(make_graph) -> None:
    graph = make_graph(features=10)
    assert parameters(replace(graph, ops=(*graph.ops, graph.ops[0]))) == parameters(graph)


def test_a_limit_on_samples_is_kept(make_graph, board) -> None:
    report = TyboxMemory(max_buffer_samples=158).report(make_graph(), 10, board)
    assert report.buffer_samples == 158
    assert report.parts["ram"]["buffer"] == 29_546
    assert report.fits


@given(budget=st.integers(1, 60_000), features=st.integers(1, 400))
def test_the_buffer_is_the_largest_that_fits(make_graph, board, budget: int, features: int) -> None:
    report = TyboxMemory(budget_bytes=budget).report(make_graph(features), 10, board)
    assert report.buffer_samples >= 1
    if report.fits:
        assert report.used("ram") <= budget < report.used("ram") + report.sample_bytes
    else:
        assert report.buffer_samples == 1
        assert report.shortfall == {"ram": report.used("ram") - budget}


@pytest.mark.parametrize("short", [1, 187, 5_000])
def test_too_small_a_budget_is_an_answer(make_graph, board, short: int) -> None:
    graph = make_graph()
    enough = TyboxMemory(max_buffer_samples=1).report(graph, 10, board).used("ram")
    assert TyboxMemory(budget_bytes=enough).report(graph, 10, board).fits
    report = TyboxMemory(budget_bytes=enough - short).report(graph, 10, board)
    assert not report.fits
    assert report.shortfall == {"ram": short}


@pytest.mark.parametrize("settings", [{"budget_bytes": 0}, {"max_buffer_samples": 0}])
def test_settings_out_of_range_are_refused_by_name(settings: dict[str, int]) -> None:
    (key,) = settings
    with pytest.raises(ValueError, match=rf"memory\.{key}: must be"):
        TyboxMemory(**settings)
