"""The buffer is the largest that board and bounds allow, and what is emitted has that size."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.boards.board import load, names
from codegen.emit.emitter import context_of, emit
from codegen.ir import read_outside
from codegen.learners.tybox import Tybox
from codegen.memory.fit import RAM_KEY, Bound, fit, fit_shapes
from codegen.ops import chain
from codegen.toolchain import target
from tests.codegen.conftest import identity_graph, identity_project
from tests.support.needs import needs_board_tools
from tools.graphs.networks import SCALE, Network, picks

BOARD = load("nucleo_f446re")
TYBOX = Tybox(0.01)
dtypes = st.sampled_from(["int8", "float32"])


@settings(max_examples=150, deadline=None)
@given(
    ram=st.integers(9_000, 300_000),
    features=st.integers(1, 3_000),
    classes=st.integers(2, 200),
    dtype=dtypes,
)
def test_the_buffer_is_the_largest_that_fits_the_ram(ram, features, classes, dtype) -> None:
    board = replace(BOARD, ram_bytes=ram)
    fitted = fit(identity_graph(features, dtype), TYBOX, classes, board)
    size = fitted.size()
    assert size.bound == RAM_KEY
    assert size.memory == fitted.memory(size.buffer_samples)
    more = fitted.memory(size.buffer_samples + 1).ram_bytes
    if "ram" in size.shortfall:
        assert size.buffer_samples == 1
        assert fitted.most_samples == 0
        assert size.shortfall["ram"] == size.memory.ram_bytes - ram > 0
    else:
        assert size.buffer_samples == fitted.most_samples
        assert size.memory.ram_bytes <= ram < more


@given(limits=st.lists(st.integers(0, 20_000), max_size=4))
def test_the_least_of_all_bounds_holds_and_is_named(limits: list[int]) -> None:
    fitted = fit(identity_graph(20, "int8"), TYBOX, 10, BOARD)
    size = fitted.size([Bound(f"key_{i}", limit) for i, limit in enumerate(limits)])
    least = min([*limits, fitted.most_samples])
    assert size.buffer_samples == max(1, least)
    assert size.bound == (RAM_KEY if least == fitted.most_samples else f"key_{limits.index(least)}")
    assert not size.shortfall


def test_the_code_is_measured_once_however_many_sizes_are_tried(monkeypatch) -> None:
    """It takes nearly all of the time, and does not depend on the buffer."""
    measured = []
    monkeypatch.setattr("codegen.memory.map.code_bytes", lambda *_: measured.append(1) or 1000)
    fitted = fit(identity_graph(20, "int8"), TYBOX, 10, BOARD)
    size = fitted.size([Bound("key", 7)])
    assert fitted.most_samples > 7
    assert [fitted.of(n, "key").memory.flash for n in (1, 50)] == [size.memory.flash] * 2
    assert len(measured) == 1


one_line = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


@settings(max_examples=25, deadline=None)
@given(features=st.integers(1, 20_000), dtype=dtypes, text=st.lists(one_line, max_size=3))
def test_what_is_emitted_has_the_size_that_was_told(features, dtype, text) -> None:
    """Long features want a larger stack than the board's file says: emitter and size agree on it."""
    project = replace(identity_project(features=features, dtype=dtype), class_names=tuple(text))
    fitted = fit(
        project.graph, project.learner, project.classes, project.board, project.class_names
    )
    size = fitted.size()
    emitted = context_of(replace(project, buffer_samples=size.buffer_samples))
    assert emitted["memory"] == size.memory
    assert emitted["p"].board == size.board
    width = 1 if dtype == "int8" else 4
    if "ram" not in size.shortfall:
        assert size.board.stack_bytes >= features * width + 2048


@pytest.mark.parametrize("name", names())
def test_shapes_alone_tell_the_same_where_nothing_can_be_simplified(name: str) -> None:
    graph = identity_graph(40, "int8")
    asked = TYBOX, 10, load(name), ("one", "two")
    assert fit_shapes(graph, *asked).size() == fit(graph, *asked).size()


@needs_board_tools
@pytest.mark.parametrize("name", ["nucleo_f446re", "corstone300"])
def test_names_of_classes_take_the_planned_flash_to_the_byte(tmp_path, name: str) -> None:
    surplus = []
    for number, given_names in enumerate(((), ("a", "bc"), ("é" * 40, 'say "no"', "x\\y"))):
        project = replace(identity_project(), board=load(name), class_names=given_names)
        folder, build = tmp_path / str(number), tmp_path / f"build{number}"
        emit(project, folder)
        linked = target.linked(folder, project.board, build)
        planned = context_of(project)["memory"]
        surplus.append(planned.flash_bytes - linked.flash_bytes)
        listed = subprocess.run(
            ["arm-none-eabi-nm", "-CS", build / "firmware.elf"],
            capture_output=True,
            text=True,
            check=True,
        )
        (symbol,) = [row.split() for row in listed.stdout.splitlines() if "kClassNames" in row]
        assert 0 <= planned.flash["names"] + 4 - int(symbol[1], 16) < 4
    # What lies behind it begins at whole eights.
    assert max(surplus) - min(surplus) <= 8


@needs_board_tools
def test_a_board_with_long_features_links_when_it_is_filled(tmp_path) -> None:
    project = identity_project(features=7_000, classes=2)
    size = fit(project.graph, project.learner, project.classes, project.board).size()
    assert size.board.stack_bytes > project.board.stack_bytes
    emit(replace(project, buffer_samples=size.buffer_samples), tmp_path / "project")
    linked = target.linked(tmp_path / "project", project.board, tmp_path / "build")
    assert linked.ram_bytes <= size.memory.ram_bytes <= project.board.ram_bytes


def test_rows_are_kept_in_place_of_images_where_the_ram_is_too_small_or_it_is_asked_for() -> None:
    network = Network(picks(np.random.default_rng(0)), np.random.default_rng(0))
    image = network.b.activation((1, 32, 32, 3), SCALE)
    x = network.convolution(image, 16, kernel=3, stride=1, padding="SAME")
    x = network.depthwise(x, 1, kernel=3, stride=2, padding="SAME")
    graph = network.b.graph(image, network.pointwise(x, 4))
    usual = fit(graph, TYBOX, 10, BOARD)
    asked = fit(graph, TYBOX, 10, replace(BOARD, ram_first=1.0))
    assert chain.KIND not in {op.kind for op in usual.graph.ops}
    assert chain.KIND in {op.kind for op in asked.graph.ops}
    assert asked.plan.arena_bytes < usual.plan.arena_bytes
    needed = usual.memory(1).ram_bytes
    enough, too_small = (
        fit(graph, TYBOX, 10, replace(BOARD, ram_bytes=ram)) for ram in (needed, needed - 1)
    )
    assert enough.plan == usual.plan
    assert too_small.plan == asked.plan
    assert not too_small.size().shortfall
    outside = fit(read_outside(graph), TYBOX, 10, BOARD)
    assert outside.memory(1).ram["input"] == 32 * 32 * 3
    with pytest.raises(
        ValueError, match=r"device\.ram_first: must be from 1 to 10, or 0; got 0\.9"
    ):
        replace(BOARD, ram_first=0.9)
