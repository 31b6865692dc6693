"""Planned memory against what the linker makes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codegen import code_size, ops, target
from codegen.emit import emit
from codegen.ir import Graph
from codegen.memory import MemoryMap, memory_map
from codegen.plan import arrange
from codegen.project import LearnerSettings, Project
from codegen.simplify import simplify
from codegen.toolchain import ToolchainError
from tests.codegen.conftest import BOARDS
from tests.codegen.mobile import CLASSES, FEATURES, mobile_graph, mobile_project
from tests.codegen.test_target import needs_board_tools

TOLERANCE_BYTES = 1024  # the promise is 2 % and 4 KiB


def planned(project: Project) -> MemoryMap:
    graph, layout = arrange(simplify(project.graph))
    samples = project.learner.buffer_samples
    return memory_map(graph, layout, project.head.classes, samples, project.board)


def without_data(graph: Graph) -> Graph:
    return replace(graph, tensors=tuple(replace(t, data=None) for t in graph.tensors))


def check_linked(project, tmp_path):
    emit(project, tmp_path / "project")
    memory = planned(project)
    linked = target.linked(tmp_path / "project", project.board, tmp_path / "build")
    assert abs(memory.flash_bytes - linked.flash_bytes) < TOLERANCE_BYTES
    # A board that is filled to the last planned byte must still link.
    assert 0 <= memory.ram_bytes - linked.ram_bytes < 256


@needs_board_tools
@pytest.mark.parametrize("core", sorted(BOARDS))
@pytest.mark.parametrize("samples", [1, 158])
def test_a_mobile_network_links_to_its_plan(tmp_path, sample, core, samples):
    images = sample.split("test").pixels[:1]
    learner = LearnerSettings(
        samples, 0.01, loss="squared_error" if samples == 1 else "cross_entropy"
    )
    check_linked(mobile_project(BOARDS[core], images, learner), tmp_path)


@needs_board_tools
@pytest.mark.parametrize(
    "case",
    [
        {"classes": 2},
        {"classes": 100, "features": 186},
        {"dtype": "float32", "features": 40},
        {"features": 7, "buffer_samples": 3},
    ],
    ids=str,
)
def test_heads_of_any_size_link_to_their_plan(tmp_path, make_identity, case):
    check_linked(make_identity(**case), tmp_path)


@needs_board_tools
def test_a_float_network_links_to_its_plan(tmp_path, make_identity):
    project = make_identity(features=FEATURES, classes=CLASSES)
    graph = mobile_graph("float32")
    golden = replace(
        project.golden,
        inputs=np.zeros((1, *graph.input.shape[1:]), np.float32),
        features=np.zeros((1, FEATURES), np.float32),
    )
    check_linked(replace(project, graph=graph, golden=golden), tmp_path)


@needs_board_tools
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m33", "cortex-m55"])
def test_other_cores_build(tmp_path, make_identity, core):
    project = make_identity()
    check_linked(replace(project, board=replace(project.board, core=core, emulator="")), tmp_path)


@needs_board_tools
def test_a_filled_board_links_and_one_sample_more_is_refused(tmp_path, make_identity):
    project = make_identity()
    free = project.board.ram_bytes - planned(project).ram_bytes
    sample_bytes = project.head.features + 1
    samples = project.learner.buffer_samples + free // sample_bytes
    for extra in (0, 1):
        learner = replace(project.learner, buffer_samples=samples + extra)
        filled = replace(project, learner=learner)
        folder = tmp_path / str(extra)
        if planned(filled).ram_bytes <= project.board.ram_bytes:
            emit(filled, folder / "project")
            linked = target.linked(folder / "project", project.board, folder / "build")
            assert linked.ram_bytes <= project.board.ram_bytes
        else:
            emit(filled, folder / "project")
            with pytest.raises(ToolchainError, match="the model fits the RAM"):
                target.linked(folder / "project", project.board, folder / "build")
    assert planned(filled).ram_bytes > project.board.ram_bytes


def test_parts_of_ram(make_identity):
    ram = planned(make_identity(features=12, classes=5, buffer_samples=4)).ram
    assert ram["head"] == 4 * (12 * 5 + 5)
    assert ram["buffer"] == 4 * (12 + 1)
    assert ram["stack"] == 8192
    assert ram["arena"] == 16
    assert ram["firmware"] == 376 + 8 * 5 + 12
    floats = planned(make_identity(features=12, classes=5, buffer_samples=4, dtype="float32")).ram
    assert floats["buffer"] == 4 * (12 * 4 + 1)
    assert floats["head"] == ram["head"]


def test_shapes_are_enough(sample):
    """What the search plans without weights is what the generator plans with them."""
    project = mobile_project(
        BOARDS["cortex-m4"], sample.split("test").pixels[:1], LearnerSettings(10, 0.01)
    )
    graph = simplify(project.graph)
    bare = without_data(graph)
    full = planned(project)
    from_shapes = memory_map(*arrange(bare), CLASSES, 10, project.board)
    assert from_shapes == full
    raw = without_data(project.graph)
    unsimplified = memory_map(*arrange(raw), CLASSES, 10, project.board)
    assert 0 <= unsimplified.flash_bytes - full.flash_bytes < 4096


def test_every_operator_has_a_size():
    assert set(code_size._INT8) == set(ops.OPERATORS)
    assert set(code_size._FLOAT) == set(ops.OPERATORS) - {"LOOKUP", "QUANTIZE"}


def test_totals_are_the_sums_of_their_parts(make_identity):
    memory = planned(make_identity())
    assert memory.flash_bytes == sum(memory.flash.values())
    assert memory.ram_bytes == sum(memory.ram.values())
    assert set(memory.flash) == {"weights", "head", "code"}
    assert set(memory.ram) == {
        "arena",
        "head",
        "buffer",
        "learner",
        "firmware",
        "data",
        "stack",
    }
