"""Planned memory against what the linker makes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codegen import ops
from codegen.boards.board import CORES, load, names
from codegen.buffers.base import Shape
from codegen.emit.emitter import emit
from codegen.ir import Graph, Op, Tensor
from codegen.learners.base import name_of
from codegen.learners.imprint_replay import ImprintReplay
from codegen.learners.lda import Lda
from codegen.learners.ncm import Ncm
from codegen.learners.online_lda import OnlineLda
from codegen.learners.rls import Rls
from codegen.learners.statistics import statistics_of
from codegen.learners.tinyol import TinyOL
from codegen.learners.tybox import BUFFERS, Tybox
from codegen.memory import code_size
from codegen.memory.map import MemoryMap, memory_map
from codegen.passes.prepare import prepare
from codegen.passes.simplify import simplify
from codegen.plan import arrange
from codegen.project import Project
from codegen.toolchain import target
from codegen.toolchain.run import ToolchainError
from tests.codegen.conftest import BOARDS
from tests.support.mobile import CLASSES, FEATURES, mobile_graph, mobile_project
from tests.support.needs import needs_board_tools
from tools.code_size.firmware import Firmware, every_learner
from tools.code_size.kernels import WITHOUT_KERNEL, kernels, measure_kernels
from tools.graphs.networks import random_network

TOLERANCE_BYTES = 1024
FUSED_SEED = 39  # of a random network with a fused block


def planned(project: Project) -> MemoryMap:
    graph, layout = prepare(project.graph)
    return memory_map(graph, layout, project.learner, project.shape, project.board)


def without_data(graph: Graph) -> Graph:
    return replace(graph, tensors=tuple(replace(t, data=None) for t in graph.tensors))


def check_linked(project, tmp_path):
    emit(project, tmp_path / "project")
    memory = planned(project)
    linked = target.linked(tmp_path / "project", project.board, tmp_path / "build")
    assert abs(memory.flash_bytes - linked.flash_bytes) < TOLERANCE_BYTES
    # A board that is filled to the last planned byte must still link.
    assert 0 <= memory.ram_bytes - linked.ram_bytes < 256


def check_mobile(board, images, tmp_path, loss="cross_entropy"):
    learner = Tybox(0.01, loss=loss)
    check_linked(mobile_project(board, images, learner, 158), tmp_path)


@needs_board_tools
@pytest.mark.parametrize("name", names())
def test_a_mobile_network_links_to_its_plan(tmp_path, sample, name):
    check_mobile(load(name), sample.split("test").pixels[:1], tmp_path)


@needs_board_tools
@pytest.mark.parametrize("core", sorted(set(CORES) - set(BOARDS)))
def test_cores_without_a_board_link_to_their_plan(tmp_path, sample, core):
    board = replace(BOARDS["cortex-m4"], core=core, emulator="")
    check_mobile(board, sample.split("test").pixels[:1], tmp_path, loss="squared_error")


@needs_board_tools
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m55"])
def test_fused_blocks_link_to_their_plan(tmp_path, make_identity, core):
    graph = random_network(FUSED_SEED)
    assert "INVERTED_RESIDUAL" in {op.kind for op in arrange(simplify(graph))[0].ops}
    project = make_identity(features=graph.output.elements, core=core)
    inputs = np.zeros((1, *graph.input.shape[1:]), np.int8)
    golden = replace(
        project.golden, inputs=inputs, features=np.zeros((1, graph.output.elements), np.int8)
    )
    check_linked(replace(project, graph=graph, golden=golden), tmp_path)


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
@pytest.mark.parametrize(
    "learner",
    [
        OnlineLda(max_classes=6, alarm=2.0),
        ImprintReplay(buffer="balanced_reservoir", buffer_bits=4, replayed=20, alarm=2.0),
    ],
    ids=name_of,
)
def test_other_learners_link_to_their_plan(tmp_path, make_identity, learner):
    rng = np.random.default_rng(0)
    seen = statistics_of(rng.normal(size=(200, 90)), np.arange(200) % 5, range(5))
    samples = min(50, learner.most_samples)
    project = make_identity(features=90, buffer_samples=samples, learner=learner, statistics=seen)
    check_linked(project, tmp_path)


def test_every_learner_has_a_size():
    """Those that a configuration can name, with every buffer."""
    every = list(every_learner())
    assert {type(learner) for learner in every} >= {
        *(Tybox, TinyOL, ImprintReplay, Ncm, Lda, OnlineLda, Rls)
    }
    assert {learner.buffer for learner in every if isinstance(learner, Tybox)} == set(BUFFERS)
    parts = {part for learner in every for part in learner.code()}
    for sizes in code_size.measured()["cores"].values():
        assert parts == set(sizes["learners"])


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
def test_a_filled_board_links_and_one_sample_more_is_refused(tmp_path, make_identity):
    project = make_identity()
    free = project.board.ram_bytes - planned(project).ram_bytes
    sample_bytes = project.head.features + 1
    samples = project.buffer_samples + free // sample_bytes
    for extra in (0, 1):
        filled = replace(project, buffer_samples=samples + extra)
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
    assert ram["firmware"] == 400 + 8 * 5 + 12
    floats = planned(make_identity(features=12, classes=5, buffer_samples=4, dtype="float32")).ram
    assert floats["buffer"] == 4 * (12 * 4 + 1)
    assert floats["head"] == ram["head"]


def test_shapes_are_enough(sample):
    """What the search plans without weights is nearly what the generator plans with them."""
    project = mobile_project(BOARDS["cortex-m4"], sample.split("test").pixels[:1], Tybox(0.01), 10)
    graph = simplify(project.graph)
    bare = without_data(graph)
    full = planned(project)
    from_shapes = memory_map(*arrange(bare), project.learner, project.shape, project.board)
    assert from_shapes.ram == full.ram
    assert from_shapes.flash["code"] == full.flash["code"]
    # Equal constants are stored once, but shapes do not tell which are.
    assert 0 <= from_shapes.flash["weights"] - full.flash["weights"] < 512
    raw = without_data(project.graph)
    unsimplified = memory_map(*arrange(raw), project.learner, project.shape, project.board)
    assert 0 <= unsimplified.flash_bytes - full.flash_bytes < 4096


def test_every_operator_has_a_size():
    operators = code_size.measured()["operators"]
    assert set(operators["int8"]) == set(ops.OPERATORS) - {*WITHOUT_KERNEL}
    assert set(operators["float32"]) == set(operators["int8"]) - {"DEQUANTIZE", "LOOKUP"}
    usual = {key for keys in operators.values() for key in keys.values() if key}
    assert set(code_size.measured()["cores"]) == set(CORES)
    for core in CORES:
        assert usual <= set(code_size.measured()["cores"][core]["kernels"])


def test_an_operator_without_a_size_is_named():
    tensors = tuple(Tensor(name, (1, 4), "int8") for name in "xy")
    graph = Graph(tensors, (Op("DIV", (0,), (1,)),), (0,), (1,))
    with pytest.raises(LookupError, match=r"DIV on int8.*measure_code_size"):
        code_size.code_bytes(graph, Tybox(0.1), Shape(4, 10, "int8"), BOARDS["cortex-m4"])


@needs_board_tools
def test_sizes_are_those_of_the_kernels_as_they_are(tmp_path):
    """A change of kernels must be followed by ``tools/measure_code_size.py``."""
    found, usual = kernels()
    core = code_size.measured()["cores"]["cortex-m4"]
    keys = ("conv_2d int8", "mean float32")
    assert set(found) == set(core["kernels"])
    assert usual == code_size.measured()["operators"]
    flags = Firmware("cortex-m4", tmp_path / "firmware").flags
    measured = measure_kernels(found, flags, tmp_path, keys)
    assert measured == {key: core["kernels"][key] for key in keys}


def test_totals_are_the_sums_of_their_parts(make_identity):
    memory = planned(make_identity())
    assert memory.flash_bytes == sum(memory.flash.values())
    assert memory.ram_bytes == sum(memory.ram.values())
    assert set(memory.flash) == {"weights", "head", "names", "code"}
    assert set(memory.ram) == {
        "arena",
        "head",
        "buffer",
        "learner",
        "firmware",
        "data",
        "stack",
    }


def test_a_graph_without_scales_and_data_has_a_size():
    """The search asks about networks that were never quantized; ADD has no constant to miss."""
    shape = (1, 4, 4, 8)
    tensors = [Tensor(name, shape, "int8") for name in ("image", "sum")]
    graph = Graph(tuple(tensors), (Op("ADD", (0, 0), (1,)),), (0,), (1,))
    assert (
        code_size.code_bytes(graph, Tybox(0.1), Shape(128, 10, "int8"), BOARDS["cortex-m4"]) > 2000
    )
