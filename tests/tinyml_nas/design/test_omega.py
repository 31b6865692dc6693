"""One size of Ω: the largest buffer that all bounds allow, counted by every model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from codegen.learners.tybox import Tybox
from codegen.memory.fit import Bound, fit_shapes
from tinyml_nas.design.memory.mcu import McuMemory
from tinyml_nas.design.memory.thesis import ThesisMemory
from tinyml_nas.design.omega import OmegaSize, size_of


@pytest.fixture(scope="module")
def sized(make_graph, board):
    """``sized(memory)``: the drawn extractor's Ω on a board of ``ram`` and ``flash`` bytes."""

    def size(
        memory, *, ram: int = 256 << 10, flash: int = 1 << 20, bounds=(), **shape
    ) -> OmegaSize:
        graph = make_graph(**shape)
        small = replace(board, ram_bytes=ram, flash_bytes=flash)
        return size_of(graph, fit_shapes(graph, Tybox(0.1), 10, small), memory, bounds)

    return size


@settings(max_examples=200, deadline=None)
@given(
    ram=st.integers(9_000, 300_000),
    budget=st.integers(1, 400_000),
    most=st.none() | st.integers(1, 2_000),
    learner=st.none() | st.integers(1, 2_000),
    features=st.integers(1, 300),
)
def test_the_least_bound_sizes_the_buffer_and_is_named(
    sized, ram, budget, most, learner, features
) -> None:
    """A board that is smaller than the budget gives less than the budget would."""
    bounds = [] if learner is None else [Bound("learner", learner)]
    memory = ThesisMemory(budget, most)
    size = sized(memory, ram=ram, bounds=bounds, features=features)
    allowed = {
        "device.ram_bytes": size.reports["mcu"].most_samples,
        "memory.budget_bytes": size.reports["thesis"].most_samples,
        "memory.max_buffer_samples": most,
        "learner": learner,
    }
    allowed = {key: samples for key, samples in allowed.items() if samples is not None}
    assert size.buffer_samples == max(1, min(allowed.values()))
    assert allowed[size.program.bound] == min(allowed.values())
    assert size.fits == (min(allowed.values()) > 0)
    for report in size.reports.values():
        buffer = size.buffer_samples * report.sample_bytes
        assert report.parts["ram"]["buffer"] == buffer
        for name, limit in report.limits.items():
            assert report.shortfall.get(name, 0) == max(0, report.used(name) - limit)


@settings(max_examples=50, deadline=None)
@given(ram=st.integers(9_000, 300_000), features=st.integers(1, 300))
def test_without_a_budget_the_board_alone_bounds_the_buffer(sized, ram, features) -> None:
    size = sized(McuMemory(), ram=ram, features=features)
    assert size.program.bound == "device.ram_bytes"
    assert size.reports["thesis"].limits == {}
    assert size.reports["thesis"].most_samples is None
    assert size.reports["mcu"].parts["ram"] == dict(size.program.memory.ram)
    assume(size.fits)
    free = ram - size.program.memory.ram_bytes
    assert 0 <= free < features + 1 + 3


def test_too_little_flash_is_an_answer_that_names_it(sized) -> None:
    needed = sized(McuMemory()).program.memory.flash_bytes
    assert sized(McuMemory(), flash=needed).fits
    size = sized(McuMemory(), flash=needed - 7)
    assert size.reports["mcu"].shortfall == {"flash": 7}
    assert not size.fits


def test_both_memories_may_be_too_small(sized) -> None:
    size = sized(McuMemory(), flash=1_000, ram=9_000)
    used = size.reports["mcu"].used
    assert size.reports["mcu"].shortfall == {
        "flash": used("flash") - 1_000,
        "ram": used("ram") - 9_000,
    }
    assert size.buffer_samples == 1


@pytest.mark.parametrize("short", [1, 187, 5_000])
def test_too_small_a_budget_is_an_answer(sized, short: int) -> None:
    enough = sized(ThesisMemory(max_buffer_samples=1)).reports["thesis"].used("ram")
    assert sized(ThesisMemory(budget_bytes=enough)).fits
    size = sized(ThesisMemory(budget_bytes=enough - short))
    assert size.reports["thesis"].shortfall == {"ram": short}
    assert size.program.shortfall == {}
    assert size.program.bound == "memory.budget_bytes"


def test_weights_are_in_flash_and_leave_ram_to_the_buffer(sized, board) -> None:
    report = sized(McuMemory()).reports["mcu"]
    assert report.parts["flash"]["weights"] >= (27 * 8 + 8 * 186) + 4 * (8 + 186)
    assert "weights" not in report.parts["ram"]
    assert report.parts["ram"]["stack"] == board.stack_bytes


@pytest.mark.parametrize(
    ("dtype", "thesis", "program"), [("int8", 187, 187), ("float32", 748, 745)]
)
def test_a_sample_is_features_and_a_label(sized, dtype, thesis, program) -> None:
    reports = sized(ThesisMemory(), dtype=dtype).reports
    assert (reports["thesis"].sample_bytes, reports["mcu"].sample_bytes) == (thesis, program)
