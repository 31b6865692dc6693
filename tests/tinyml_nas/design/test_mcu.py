"""Flash and RAM as the generator plans them; the buffer takes exactly what RAM is left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.memory.map import memory_map
from codegen.plan import arrange
from tinyml_nas.design.memory.mcu import McuMemory


def test_parts_are_the_generators_own(make_graph, board) -> None:
    graph = make_graph()
    report = McuMemory().report(graph, 10, board)
    layout = memory_map(*arrange(graph), 10, report.buffer_samples, board)
    assert report.parts == {"flash": dict(layout.flash), "ram": dict(layout.ram)}
    assert report.limits == {"flash": 1 << 20, "ram": 256 << 10}
    assert report.sample_bytes == 187
    assert report.fits


def test_weights_are_in_flash_and_leave_ram_to_the_buffer(make_graph, board) -> None:
    report = McuMemory().report(make_graph(), 10, board)
    assert report.parts["flash"]["weights"] >= (27 * 8 + 8 * 186) + 4 * (8 + 186)
    assert "weights" not in report.parts["ram"]
    assert report.parts["ram"]["stack"] == board.stack_bytes
    assert report.buffer_samples > 1_000


@settings(max_examples=30, deadline=None)
@given(ram=st.integers(9_000, 100_000), features=st.integers(1, 300))
def test_the_buffer_is_the_largest_that_fits(make_graph, board, ram: int, features: int) -> None:
    graph = make_graph(features)
    report = McuMemory().report(graph, 10, replace(board, ram_bytes=ram))
    more = memory_map(*arrange(graph), 10, report.buffer_samples + 1, board)
    if report.fits:
        assert report.used("ram") <= ram < more.ram_bytes
    else:
        assert report.buffer_samples == 1
        assert report.shortfall == {"ram": report.used("ram") - ram}


def test_too_little_flash_is_an_answer_that_names_it(make_graph, board) -> None:
    graph = make_graph()
    needed = McuMemory().report(graph, 10, board).used("flash")
    assert McuMemory().report(graph, 10, replace(board, flash_bytes=needed)).fits
    report = McuMemory().report(graph, 10, replace(board, flash_bytes=needed - 7))
    assert report.shortfall == {"flash": 7}
    assert not report.fits


def test_both_memories_may_be_too_small(make_graph, board) -> None:
    tiny = replace(board, flash_bytes=1_000, ram_bytes=9_000)
    report = McuMemory().report(make_graph(), 10, tiny)
    assert report.shortfall == {
        "flash": report.used("flash") - 1_000,
        "ram": report.used("ram") - 9_000,
    }
    assert report.buffer_samples == 1


def test_a_limit_on_samples_is_kept(make_graph, board) -> None:
    report = McuMemory(max_buffer_samples=158).report(make_graph(), 10, board)
    assert report.buffer_samples == 158
    assert report.parts["ram"]["buffer"] == 158 * 187


def test_a_float_sample_takes_four_bytes_a_feature_and_a_label(make_graph, board) -> None:
    report = McuMemory().report(make_graph(dtype="float32"), 10, board)
    assert report.sample_bytes == 186 * 4 + 1


def test_a_limit_of_none_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"memory\.max_buffer_samples: must be at least 1"):
        McuMemory(max_buffer_samples=0)
